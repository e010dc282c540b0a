//! How many jobs run at once, and how a worker stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::rig::{INPUT, OUTPUT, Rig, Scripted, next_job};
use facereel_service::StageError;
use facereel_service::worker::JobOutcome;
use tokio::sync::{Barrier, Notify};

#[tokio::test]
async fn as_many_jobs_as_there_are_slots_run_side_by_side_and_no_more() {
    let mut rig = Rig::new();
    for segment in 0..6 {
        rig.submit(segment).await;
    }
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // With one slot this would never end.
    let meeting = Arc::new(Barrier::new(2));
    let (now, highest) = (Arc::clone(&running), Arc::clone(&most));
    let stage = Scripted(move |_, _| {
        let (now, highest, meeting) = (Arc::clone(&now), Arc::clone(&highest), Arc::clone(&meeting));
        async move {
            highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            meeting.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Vec::new())
        }
    });
    let worker = rig.start(stage, 2);
    for _ in 0..6 {
        assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    worker.abort();
}

#[tokio::test]
async fn a_stop_waits_for_the_job_at_hand_and_takes_no_other() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    rig.submit(2).await;
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, finishes) = (Arc::clone(&begun), Arc::clone(&finish));
    let stage = Scripted(move |_, _| {
        let (begins, finishes) = (Arc::clone(&begins), Arc::clone(&finishes));
        async move {
            begins.notify_one();
            finishes.notified().await;
            Ok(vec![next_job()])
        }
    });
    let worker = rig.start(stage, 1);
    begun.notified().await;
    rig.shutdown.cancel();
    finish.notify_one();
    worker.await.unwrap().unwrap();
    // What is done is not thrown away because somebody wants to stop.
    assert_eq!(rig.report().await.outcome, JobOutcome::Done);
    assert_eq!(rig.depth(OUTPUT).await.ready, 1);
    assert_eq!((rig.depth(INPUT).await.ready, rig.depth(INPUT).await.unacknowledged), (1, Some(0)));
}

#[tokio::test]
async fn an_interrupted_job_goes_back_at_once_and_does_not_count_as_a_try() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let stage = Scripted(move |_, context: facereel_service::StageContext| {
        let begins = Arc::clone(&begins);
        async move {
            begins.notify_one();
            context.shutdown.cancelled().await;
            Err(StageError::interrupted())
        }
    });
    let worker = rig.start(stage, 1);
    begun.notified().await;
    rig.shutdown.cancel();
    assert_eq!(rig.report().await.outcome, JobOutcome::Released);
    worker.await.unwrap().unwrap();
    let delivery = rig.consumer(INPUT).await.next().await.unwrap().expect("the queue is open");
    assert_eq!(delivery.message.headers.attempt, 1);
    assert!(delivery.redelivered);
    assert_eq!(rig.error_note().await, None);
}

#[tokio::test]
async fn a_worker_ends_when_its_queue_is_closed() {
    let rig = Rig::new();
    let worker = rig.start(Scripted(|_, _| async { Ok(Vec::new()) }), 1);
    facereel_queue::Queue::close(&rig.queue).await.unwrap();
    worker.await.unwrap().unwrap();
}
