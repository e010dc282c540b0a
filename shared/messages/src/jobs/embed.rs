use facereel_domain::ids::BatchIndex;
use facereel_domain::pipeline::Stage;
use serde::{Deserialize, Serialize};

use super::{Job, JobAddress, MAX_JOB_BYTES};
use crate::Format;

/// Embed one batch of faces; whoever finds all parts there publishes the export job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedJob {
    /// Run and lane.
    pub address: JobAddress,
    /// The batch to do.
    pub batch: BatchIndex,
    /// Batches of the run.
    pub batches: u32,
}

impl Format for EmbedJob {
    const NAME: &'static str = "facereel.job.embed";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

impl Job for EmbedJob {
    const STAGE: Stage = Stage::Embed;

    fn address(&self) -> &JobAddress {
        &self.address
    }

    fn part(&self) -> String {
        format!("batch {} of {}", self.batch.0 + 1, self.batches)
    }
}
