use facereel_domain::ids::SegmentIndex;
use facereel_domain::pipeline::Stage;
use serde::{Deserialize, Serialize};

use super::{Job, JobAddress, MAX_JOB_BYTES};
use crate::Format;

/// Decode one segment and detect its faces; whoever finds all parts there publishes the track job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectJob {
    /// Run and lane.
    pub address: JobAddress,
    /// The segment to do.
    pub segment: SegmentIndex,
    /// Segments of the plan.
    pub segments: u32,
}

impl Format for DetectJob {
    const NAME: &'static str = "facereel.job.detect";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MAX_JOB_BYTES;
}

impl Job for DetectJob {
    const STAGE: Stage = Stage::Detect;

    fn address(&self) -> &JobAddress {
        &self.address
    }

    fn part(&self) -> String {
        format!("segment {} of {}", self.segment.0 + 1, self.segments)
    }
}
