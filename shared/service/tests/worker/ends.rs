//! Jobs that do not end, runs that were cancelled, and the end of intake alone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use facereel_messages::jobs::DetectJob;
use facereel_queue::Message;
use facereel_service::worker::{JobOutcome, Leftovers, WorkerError};
use facereel_service::{Stage, StageContext, StageError};
use tokio::sync::Notify;

use crate::rig::{INPUT, OUTPUT, Rig, Scripted, job, layout, next_job, part_key, write_part};

#[tokio::test(start_paused = true)]
async fn a_job_without_end_is_a_failed_try_and_ends_the_worker_with_all_its_jobs() {
    let mut rig = Rig::new();
    rig.time_limit = Some(Duration::from_mins(1));
    rig.submit(1).await;
    rig.submit(2).await;
    let stage = Scripted(|job: facereel_messages::jobs::DetectJob, context: StageContext| async move {
        if job.segment.index() == 1 {
            std::future::pending::<()>().await;
        }
        context.shutdown.cancelled().await;
        Err(StageError::interrupted())
    });
    let worker = rig.start(stage, 2);
    let ends = [rig.report().await.outcome, rig.report().await.outcome];
    let reason = "the job did not end within 60 s".to_owned();
    assert!(ends.contains(&JobOutcome::Retried { reason }), "{ends:?}");
    assert!(ends.contains(&JobOutcome::Released), "{ends:?}");
    let error = worker.await.unwrap().unwrap_err();
    assert!(matches!(error, WorkerError::Hung { limit, .. } if limit.as_secs() == 60), "{error}");
    assert!(rig.shutdown.is_cancelled());
    assert_eq!((rig.depth(INPUT).await.ready, rig.depth(INPUT).await.delayed), (1, 1));
}

#[tokio::test]
async fn without_intake_the_jobs_at_work_are_left_in_peace() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    rig.submit(2).await;
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, finishes) = (Arc::clone(&begun), Arc::clone(&finish));
    let stage = Scripted(move |_, context: StageContext| {
        let (begins, finishes) = (Arc::clone(&begins), Arc::clone(&finishes));
        async move {
            begins.notify_one();
            finishes.notified().await;
            context.check_shutdown()?;
            Ok(vec![next_job()])
        }
    });
    let worker = rig.start(stage, 1);
    begun.notified().await;
    rig.intake_end.cancel();
    finish.notify_one();
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    worker.await.unwrap().unwrap();
    assert_eq!((rig.depth(INPUT).await.ready, rig.depth(OUTPUT).await.ready), (1, 1));
}

async fn cancel(rig: &Rig) {
    rig.store.put(&layout().cancelled(), Bytes::from_static(b"{}")).await.expect("the store takes it");
}

#[tokio::test]
async fn jobs_of_a_cancelled_run_are_dropped_unseen() {
    let mut rig = Rig::new();
    cancel(&rig).await;
    rig.submit(1).await;
    let worker = rig.start(Scripted(|_, _| async { panic!("must not be asked") }), 1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Cancelled);
    worker.abort();
    assert_eq!((rig.depth(INPUT).await.ready, rig.depth(OUTPUT).await.ready), (0, 0));
    assert_eq!(rig.error_note().await, None);
}

#[tokio::test]
async fn a_job_whose_run_is_cancelled_under_it_leaves_nothing_and_is_no_failure() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    let stage = Scripted(|job: facereel_messages::jobs::DetectJob, context: StageContext| async move {
        write_part(&job, &context).await?;
        let marker = layout().cancelled();
        context.store.put(&marker, Bytes::from_static(b"{}")).await?;
        Err(StageError::refused("what it needed was taken away"))
    });
    let worker = rig.start(stage, 1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Cancelled);
    worker.abort();
    assert_eq!(rig.store.head(&part_key(&job(1))).await.unwrap(), None);
    assert_eq!((rig.error_note().await, rig.dead_letters().await.len()), (None, 0));
}

/// Writes its part after others have committed the run, and fails for what the commit took away.
fn too_late() -> impl Stage<Job = DetectJob> {
    Scripted(|job: DetectJob, context: StageContext| async move {
        context.store.put(&layout().manifest(), Bytes::from_static(b"{}")).await?;
        write_part(&job, &context).await?;
        Err(StageError::refused("what it needed is gone"))
    })
}

#[tokio::test]
async fn a_job_whose_run_is_committed_under_it_leaves_nothing_and_is_no_failure() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    let worker = rig.start(too_late(), 1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    worker.abort();
    assert_eq!(rig.store.head(&part_key(&job(1))).await.unwrap(), None);
    assert_eq!((rig.error_note().await, rig.dead_letters().await.len()), (None, 0));
}

#[tokio::test]
async fn leftovers_of_a_committed_run_stay_where_somebody_wants_to_look_at_them() {
    let mut rig = Rig::new();
    rig.leftovers = Leftovers::Keep;
    rig.submit(1).await;
    let worker = rig.start(too_late(), 1);
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    worker.abort();
    assert!(rig.store.head(&part_key(&job(1))).await.unwrap().is_some());
}

#[tokio::test]
async fn the_trace_context_travels_with_the_jobs_that_follow() {
    let mut rig = Rig::new();
    let mut message = Message::new(facereel_messages::encode(&job(1)).unwrap()).unwrap();
    message.headers.trace_context = Some("00-4b-00-01".to_owned());
    facereel_queue::Queue::publish(&rig.queue, &INPUT, message).await.unwrap();
    let worker = rig.start(Scripted(|_, _| async { Ok(vec![next_job()]) }), 1);
    rig.report().await;
    worker.abort();
    let following = rig.consumer(OUTPUT).await.next().await.unwrap().expect("the queue is open");
    assert_eq!(following.message.headers.trace_context.as_deref(), Some("00-4b-00-01"));
}
