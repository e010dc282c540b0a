//! Planners hold back while too much waits for detection.

use async_trait::async_trait;
use facereel_domain::pipeline::{Lane, Stage as StageName};
use facereel_messages::jobs::{JobAddress, PlanJob};
use facereel_queue::{Message, Queue as _, QueueName};
use facereel_service::worker::JobOutcome;
use facereel_service::{NextJob, Stage, StageContext, StageError};

use crate::rig::{Rig, address, job};

/// Three detect jobs for each plan job.
struct Planner;

#[async_trait]
impl Stage for Planner {
    type Job = PlanJob;

    async fn process(&self, plan: PlanJob, _: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let jobs = (0..3).map(|segment| {
            let mut job = job(segment);
            job.address = plan.address.clone();
            Ok(NextJob::new(&job)?)
        });
        jobs.collect()
    }
}

async fn submit(rig: &Rig, lane: Lane) {
    let job = PlanJob { address: JobAddress { lane, ..address() } };
    let body = facereel_messages::encode(&job).expect("a job can be written");
    let message = Message::new(body).expect("a small message");
    rig.queue.publish(&QueueName { stage: StageName::Plan, lane }, message).await.expect("the queue is open");
}

#[tokio::test]
async fn no_further_episode_of_a_lane_is_planned_above_the_high_water_mark() {
    let mut rig = Rig::new();
    rig.high_water = 2;
    let planned = QueueName { stage: StageName::Plan, lane: Lane::Backfill };
    let detect = QueueName { stage: StageName::Detect, lane: Lane::Backfill };
    submit(&rig, Lane::Backfill).await;
    submit(&rig, Lane::Backfill).await;
    tokio::time::pause();
    let worker = rig.start(Planner, 1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);

    // The other lane is as open as ever.
    submit(&rig, Lane::Interactive).await;
    assert_eq!(rig.report().await.lane, Lane::Interactive);
    assert_eq!((rig.depth(planned).await.ready, rig.depth(detect).await.ready), (1, 3));

    rig.queue.purge(&detect).await.unwrap();
    assert_eq!(rig.report().await.lane, Lane::Backfill);
    assert_eq!(rig.depth(planned).await.ready, 0);
    worker.abort();
}
