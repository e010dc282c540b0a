//! The order of effects: a crash or a fault anywhere means a repeat, never a loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::rig::{INPUT, OUTPUT, Rig, Scripted, job, next_job, part_key, write_part};
use async_trait::async_trait;
use facereel_queue::faulty::{Occurrence, QueueFault};
use facereel_queue::{FaultyQueue, Message, Queue, QueueDecorator, QueueError, QueueName};
use facereel_service::worker::JobOutcome;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, MemoryStore};
use tokio::sync::Semaphore;

/// A queue whose `publish` waits until the test lets it go on.
struct HeldQueue {
    inner: Arc<dyn Queue>,
    arrived: Arc<Semaphore>,
    allowed: Arc<Semaphore>,
}

#[async_trait]
impl QueueDecorator for HeldQueue {
    fn inner(&self) -> &dyn Queue {
        self.inner.as_ref()
    }

    async fn publish_through(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        self.arrived.add_permits(1);
        self.allowed.acquire().await.expect("never closed").forget();
        self.inner.publish(name, message).await
    }
}

#[tokio::test]
async fn objects_are_written_before_the_next_job_is_published_and_the_input_is_acknowledged_last() {
    let (arrived, allowed) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (arrivals, permits) = (Arc::clone(&arrived), Arc::clone(&allowed));
    let mut rig = Rig::new().with_queue(|inner| HeldQueue { inner, arrived: arrivals, allowed: permits });
    rig.submit(1).await;
    let stage = Scripted(|job, context| async move {
        write_part(&job, &context).await?;
        Ok(vec![next_job()])
    });
    let worker = rig.start(stage, 1);

    arrived.acquire().await.unwrap().forget();
    assert!(rig.store.head(&part_key(&job(1))).await.unwrap().is_some());
    assert_eq!(rig.depth(INPUT).await.unacknowledged, Some(1));
    assert_eq!(rig.depth(OUTPUT).await.ready, 0);

    allowed.add_permits(1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    assert_eq!(rig.depth(INPUT).await.unacknowledged, Some(0));
    assert_eq!(rig.depth(OUTPUT).await.ready, 1);
    worker.abort();
}

#[tokio::test]
async fn a_job_whose_worker_died_after_writing_comes_back_and_is_not_computed_again() {
    let memory = Arc::new(MemoryStore::default());
    let faulty = Arc::new(FaultyStore::new(memory.clone(), [StoreFault::CrashAfterWrite(".mpk".to_owned())]));
    let rig = Rig::new().with_store(faulty.clone());
    rig.submit(1).await;
    let stage = Scripted(|job, context| async move {
        // The write succeeds, its answer never comes, and neither does anything else.
        let _ = write_part(&job, &context).await;
        std::future::pending().await
    });
    let worker = rig.start(stage, 1);
    faulty.crashed().await;
    assert_eq!(rig.depth(OUTPUT).await.ready, 0);
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());

    let mut rig = rig.with_store(memory);
    let computed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&computed);
    let stage = Scripted(move |job, context| {
        let count = Arc::clone(&count);
        async move {
            count.fetch_add(usize::from(write_part(&job, &context).await?), Ordering::SeqCst);
            Ok(vec![next_job()])
        }
    });
    let worker = rig.start(stage, 1);
    let report = rig.report().await;
    assert_eq!((report.outcome, report.attempt), (JobOutcome::Done, 1));
    assert_eq!(computed.load(Ordering::SeqCst), 0);
    assert_eq!(rig.depth(OUTPUT).await.ready, 1);
    worker.abort();
}

/// A worker over a queue whose first publish meets `fault`; returns how many follow-up jobs there are in the end.
async fn follow_ups_after(fault: QueueFault) -> u64 {
    let mut rig = Rig::new().with_queue(|inner| FaultyQueue::new(inner, [(fault, Occurrence::Nth(1))]));
    rig.submit(1).await;
    let stage = Scripted(|job, context| async move {
        write_part(&job, &context).await?;
        Ok(vec![next_job()])
    });
    let worker = rig.start(stage, 1);
    let first = rig.report().await;
    assert!(
        matches!(&first.outcome, JobOutcome::Retried { reason } if reason.contains("could not be published"))
    );
    let second = rig.report().await;
    assert_eq!((second.outcome, second.attempt), (JobOutcome::Done, 2));
    worker.abort();
    rig.depth(OUTPUT).await.ready
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_fails_is_made_good_by_the_next_try() {
    assert_eq!(follow_ups_after(QueueFault::Refuse).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_confirmation_gives_the_next_job_twice_and_loses_nothing() {
    assert_eq!(follow_ups_after(QueueFault::LoseConfirmation).await, 2);
}
