use facereel_domain::pipeline::Stage;
use serde::{Deserialize, Serialize};

use super::{Job, JobAddress, MAX_JOB_BYTES};
use crate::Format;

/// Cut the episode into segments and publish a detect job for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanJob {
    /// Run and lane.
    pub address: JobAddress,
}

impl Format for PlanJob {
    const NAME: &'static str = "facereel.job.plan";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

impl Job for PlanJob {
    const STAGE: Stage = Stage::Plan;

    fn address(&self) -> &JobAddress {
        &self.address
    }

    fn part(&self) -> String {
        "whole episode".to_owned()
    }
}
