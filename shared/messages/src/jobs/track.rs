use facereel_domain::pipeline::Stage;
use serde::{Deserialize, Serialize};

use super::{Job, JobAddress, MAX_JOB_BYTES};
use crate::Format;

/// Find shots and tracks over all detection parts and publish an embed job for each batch of faces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackJob {
    /// Run and lane.
    pub address: JobAddress,
    /// Detection parts there are.
    pub segments: u32,
}

impl Format for TrackJob {
    const NAME: &'static str = "facereel.job.track";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

impl Job for TrackJob {
    const STAGE: Stage = Stage::Track;

    fn address(&self) -> &JobAddress {
        &self.address
    }

    fn part(&self) -> String {
        format!("{} segments", self.segments)
    }
}
