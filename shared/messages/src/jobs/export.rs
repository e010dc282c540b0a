use facereel_domain::pipeline::Stage;
use serde::{Deserialize, Serialize};

use super::{Job, JobAddress, MAX_JOB_BYTES};
use crate::Format;

/// Write crops and manifests and commit the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportJob {
    /// Run and lane.
    pub address: JobAddress,
    /// Embedding parts there are; 0 where nothing was to be embedded.
    pub batches: u32,
}

impl Format for ExportJob {
    const NAME: &'static str = "facereel.job.export";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

impl Job for ExportJob {
    const STAGE: Stage = Stage::Export;

    fn address(&self) -> &JobAddress {
        &self.address
    }

    fn part(&self) -> String {
        format!("{} embedding parts", self.batches)
    }
}
