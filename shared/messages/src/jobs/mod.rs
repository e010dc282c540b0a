//! The jobs, one a file. Each names a run and a part of it; what there is to do stands in the store.

mod detect;
mod embed;
mod export;
mod plan;
mod track;

pub use detect::DetectJob;
pub use embed::EmbedJob;
pub use export::ExportJob;
pub use plan::PlanJob;
pub use track::TrackJob;

use facereel_domain::ids::RunRef;
use facereel_domain::pipeline::{Lane, Stage};
use serde::{Deserialize, Serialize};

use crate::Format;

/// Longest job in bytes. Real ones take about 200.
pub const MAX_JOB_BYTES: usize = 64 * 1024;

/// What every job says.
pub trait Job: Format + Clone + Send + Sync + 'static {
    /// The stage that does it.
    const STAGE: Stage;

    /// The run it belongs to and how urgent that is.
    fn address(&self) -> &JobAddress;

    /// The part of the run it is about, for logs: `segment 3 of 40`.
    fn part(&self) -> String;
}

/// The run a job belongs to and how urgent that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobAddress {
    /// Which run of which episode.
    pub run: RunRef,
    /// Jobs that follow go on the same lane.
    pub lane: Lane,
}
