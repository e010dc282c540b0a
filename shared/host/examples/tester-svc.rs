//! A service for the tests of this crate: one stage whose jobs do what their episode's name says.
//!
//! | episode | the job |
//! |---|---|
//! | `WRITE` | writes its part and names the job that follows |
//! | `WAIT` | the same, once there is an object `go`; gives up when it is to stop |
//! | `STUBBORN` | waits for ever and does not listen |
//! | `HANG` | keeps a compute thread for ever |

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;
use facereel_messages::jobs::{DetectJob, Job, TrackJob};
use facereel_service::{
    Assignment, NextJob, PrepareError, Service, Slots, Stage, StageContext, StageError, Team, objects,
};

fn main() -> ExitCode {
    facereel_host::run::<TesterService>()
}

struct TesterService;

impl Service for TesterService {
    const NAME: &'static str = "tester-svc";
    const STAGES: &'static [StageName] = &[StageName::Detect];
    const PORT: u16 = 9460;

    fn prepare(settings: &Settings, _assigned: &Assignment, _threads: usize) -> Result<Self, PrepareError> {
        match settings.runtime.models.dir.as_str() {
            "missing" => Err(PrepareError::Models("there is no model".into())),
            _ => Ok(Self),
        }
    }

    fn staff(self, team: &mut impl Team) {
        team.hire(Obedient, Slots::One);
    }
}

struct Obedient;

#[async_trait]
impl Stage for Obedient {
    type Job = DetectJob;

    async fn process(&self, job: DetectJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        match job.address().run.ep_id.as_str() {
            "WAIT" => wait_for_go(context).await?,
            "STUBBORN" => std::future::pending().await,
            "HANG" => context.compute.run(park_for_ever).await?,
            _ => {}
        }
        let key = context.layout(&job.address().run).detections_part(job.segment);
        if !objects::exists(context.store.as_ref(), &key).await? {
            context.store.put(&key, Bytes::from_static(b"part")).await?;
        }
        Ok(vec![NextJob::new(&TrackJob { address: job.address, segments: job.segments })?])
    }
}

async fn wait_for_go(context: &StageContext) -> Result<(), StageError> {
    let go: ObjectKey = "go".parse().map_err(|error| StageError::permanent("no key", error))?;
    while !objects::exists(context.store.as_ref(), &go).await? {
        context.check_shutdown()?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn park_for_ever() {
    loop {
        std::thread::park();
    }
}
