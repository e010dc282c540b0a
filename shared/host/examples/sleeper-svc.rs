//! A service for benchmarks: detection whose model costs time and no CPU.
//!
//! What is around a model is as in any service: the worker loop, the queue, the store, one compute thread for each of
//! `limits.threads`. So it shows how far replicas get in each other's way, on a machine with fewer cores than replicas.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_messages::jobs::{DetectJob, Job, TrackJob};
use facereel_service::{
    Assignment, NextJob, PrepareError, Service, Slots, Stage, StageContext, StageError, Team,
};

/// What the model would take for a segment.
const COST: Duration = Duration::from_millis(200);
/// What a segment leaves in the store: its faces, and the faces' pictures.
const PART_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    facereel_host::run::<SleeperService>()
}

struct SleeperService;

impl Service for SleeperService {
    const NAME: &'static str = "sleeper-svc";
    const STAGES: &'static [StageName] = &[StageName::Detect];
    const PORT: u16 = 9459;

    fn prepare(_settings: &Settings, _assigned: &Assignment, _threads: usize) -> Result<Self, PrepareError> {
        Ok(Self)
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(Sleeper, Slots::PerThread);
    }
}

struct Sleeper;

#[async_trait]
impl Stage for Sleeper {
    type Job = DetectJob;

    async fn process(&self, job: DetectJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        context.compute.run(|| sleep(COST)).await?;
        let key = context.layout(&job.address().run).detections_part(job.segment);
        context.store.put(&key, Bytes::from(vec![0; PART_BYTES])).await?;
        // One for each segment, so that whoever measures can count them.
        Ok(vec![NextJob::new(&TrackJob { address: job.address, segments: job.segments })?])
    }
}
