//! Handing a run to the queues, and calling it off.

use anyhow::Result;
use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Lane;
use facereel_messages::jobs::{JobAddress, PlanJob};
use facereel_queue::Message;
use facereel_service::NextJob;
use facereel_service::cancel::{self, Cancellation};
use facereel_store::Store;
use serde::{Deserialize, Serialize};

use super::clock::unix_sec;
use super::desk::Desk;
use crate::request::{Asked, pretty};

/// When and how a run was handed over: the content of `submission.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Version of the file.
    pub(crate) schema_version: u32,
    /// The lane of its jobs.
    pub(crate) lane: Lane,
    /// When its first job was published, seconds since 1970.
    pub(crate) submitted_unix_sec: u64,
}

/// Hands the run over. What said that it had failed or was cancelled goes first, and the note that it was handed over
/// comes last: interrupted in between, the run counts as new and is handed over again. Jobs that are there twice do
/// no harm.
pub(crate) async fn submit(desk: &Desk, asked: &Asked, lane: Lane) -> Result<()> {
    let run = &asked.request.run;
    asked.write(desk.store.as_ref()).await?;
    let job = NextJob::new(&PlanJob { address: JobAddress { run: run.clone(), lane } })?;
    desk.queue.publish(&job.queue, Message::new(job.body)?).await?;
    let note = Submission { schema_version: 1, lane, submitted_unix_sec: unix_sec() };
    desk.store.put(&RunLayout::new(run).submission(), pretty(&note)?).await?;
    Ok(())
}

/// Calls the run off: workers drop its jobs from now on, and what lies between the stages is deleted.
pub(crate) async fn cancel(store: &dyn Store, run: &RunRef) -> Result<()> {
    let layout = RunLayout::new(run);
    let note: Bytes = pretty(&Cancellation::at(unix_sec()))?;
    // First, so that workers write no more behind the deletion than what they are at.
    store.put(&layout.cancelled(), note).await?;
    cancel::clean_up(store, run).await?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::super::standing::tests::{put, run};
    use super::super::{Standing, standing};
    use super::*;
    use crate::request::tests::asked;
    use facereel_domain::pipeline::Stage;
    use facereel_queue::{InProcessQueue, QueueName};
    use facereel_store::MemoryStore;

    /// A desk of its own.
    pub(in crate::operator) fn desk() -> Desk {
        Desk { store: Arc::new(MemoryStore::default()), queue: Arc::new(InProcessQueue::default()) }
    }

    #[tokio::test]
    async fn a_run_that_is_handed_over_has_its_plan_job_on_its_lane() {
        let desk = desk();
        let asked = asked("EP");
        submit(&desk, &asked, Lane::Backfill).await.unwrap();
        let name = QueueName::new(Stage::Plan, Lane::Backfill);
        assert_eq!(desk.queue.depth(&name).await.unwrap().ready, 1);
        let Standing::Submitted(note) = standing(desk.store.as_ref(), &asked.request.run).await.unwrap()
        else {
            panic!("it is not submitted")
        };
        assert_eq!(note.lane, Lane::Backfill);
    }

    #[tokio::test]
    async fn a_cancelled_run_keeps_its_request_and_loses_its_parts() {
        let desk = desk();
        let store = desk.store.as_ref();
        let asked = asked("EP");
        submit(&desk, &asked, Lane::Interactive).await.unwrap();
        let layout = RunLayout::new(&asked.request.run);
        put(store, &layout.plan(), "plan").await;
        cancel(store, &asked.request.run).await.unwrap();
        assert_eq!(standing(store, &asked.request.run).await.unwrap().word(), "cancelled");
        assert!(store.head(&layout.plan()).await.unwrap().is_none());
        assert!(store.head(&layout.request()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn asking_again_takes_cancellation_and_failure_back() {
        let desk = desk();
        let asked = asked("EP");
        let layout = RunLayout::new(&run("EP"));
        assert_eq!(layout.prefix(), RunLayout::new(&asked.request.run).prefix());
        put(desk.store.as_ref(), &layout.error(), r#"{"reason":"no frames"}"#).await;
        cancel(desk.store.as_ref(), &asked.request.run).await.unwrap();
        submit(&desk, &asked, Lane::Interactive).await.unwrap();
        assert_eq!(standing(desk.store.as_ref(), &asked.request.run).await.unwrap().word(), "submitted");
    }
}
