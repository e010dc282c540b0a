//! What becomes of jobs that fail, and of the runs they belong to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::rig::{INPUT, OUTPUT, Rig, Scripted, next_job};
use facereel_domain::pipeline::Stage as StageName;
use facereel_service::StageError;
use facereel_service::worker::JobOutcome;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, MemoryStore};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_after_pauses_that_double_and_then_given_up() {
    let mut rig = Rig::new();
    rig.submit(1).await;
    let tries = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tries);
    let stage = Scripted(move |_, _| {
        seen.lock().unwrap().push(Instant::now());
        async { Err(StageError::transient("the store failed", "it is away")) }
    });
    let worker = rig.start(stage, 1);
    for attempt in 1..=3 {
        let report = rig.report().await;
        assert_eq!(report.attempt, attempt);
        assert_eq!(report.outcome, JobOutcome::Retried { reason: "the store failed: it is away".to_owned() });
        assert_eq!(rig.error_note().await, None, "the run is marked before the last try");
    }
    assert!(matches!(rig.report().await.outcome, JobOutcome::DeadLettered { .. }));
    assert!(rig.error_note().await.is_some());
    assert_eq!(rig.dead_letters().await[0].message.headers.attempt, 4);

    let tries = tries.lock().unwrap();
    let pauses: Vec<u64> = tries.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4]);
    worker.abort();
}

#[tokio::test]
async fn a_permanent_failure_goes_to_the_dead_letters_at_once_and_marks_the_run() {
    let mut rig = Rig::new();
    rig.submit(2).await;
    let stage =
        Scripted(|_, _| async { Err(StageError::permanent("the video can't be read", "no such stream")) });
    let worker = rig.start(stage, 1);
    let report = rig.report().await;
    let reason = "the video can't be read: no such stream".to_owned();
    assert_eq!((report.attempt, report.outcome), (1, JobOutcome::DeadLettered { reason: reason.clone() }));

    let letters = rig.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].queue, &letters[0].reason), (INPUT, &reason));
    let note = rig.error_note().await.expect("the run is marked as failed");
    assert_eq!(note["stage"], "detect");
    assert_eq!(note["part"], "segment 3 of 8");
    assert_eq!(note["reason"], reason.as_str());
    assert_eq!(rig.depth(OUTPUT).await.ready, 0);
    worker.abort();
}

#[tokio::test]
async fn bytes_that_are_no_job_go_to_the_dead_letters_and_the_store_is_not_touched() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default()), []));
    let mut rig = Rig::new().with_store(store.clone());
    rig.submit_bytes(b"no job at all".to_vec()).await;
    rig.submit_bytes(next_job().body).await;
    let worker = rig.start(Scripted(|_, _| async { panic!("must not be asked") }), 1);
    for _ in 0..2 {
        let report = rig.report().await;
        assert_eq!((report.stage, report.address), (StageName::Detect, None));
        assert!(matches!(report.outcome, JobOutcome::DeadLettered { .. }));
    }
    let letters = rig.dead_letters().await;
    assert_eq!(letters[0].message.body(), b"no job at all");
    assert!(
        letters[1].reason.contains("expected facereel.job.detect, found 'facereel.job.track'"),
        "{letters:?}"
    );
    assert_eq!(store.operations(), 0);
    worker.abort();
}

#[tokio::test]
async fn a_run_that_can_not_be_marked_is_given_up_all_the_same() {
    let full = FaultyStore::new(Arc::new(MemoryStore::default()), [StoreFault::FullAfterBytes(0)]);
    let mut rig = Rig::new().with_store(Arc::new(full));
    rig.submit(1).await;
    let worker = rig.start(Scripted(|_, _| async { Err(StageError::refused("no")) }), 1);
    assert!(matches!(rig.report().await.outcome, JobOutcome::DeadLettered { .. }));
    assert_eq!(rig.dead_letters().await.len(), 1);
    worker.abort();
}

/// Runs a stage that panics the first time and works the second time.
async fn outcomes_after_a_panic(in_compute: bool) -> Vec<JobOutcome> {
    let mut rig = Rig::new();
    rig.submit(1).await;
    let first = AtomicBool::new(true);
    let stage = Scripted(move |_, context: facereel_service::StageContext| {
        let is_first = first.swap(false, Ordering::SeqCst);
        async move {
            if is_first && in_compute {
                context.compute.run(|| panic!("a bad frame")).await.map(|(): ()| ())?;
            }
            assert!(!is_first, "a bad frame");
            Ok(Vec::new())
        }
    });
    let worker = rig.start(stage, 1);
    let outcomes = vec![rig.report().await.outcome, rig.report().await.outcome];
    worker.abort();
    outcomes
}

#[tokio::test(start_paused = true)]
async fn a_panic_on_a_compute_thread_is_tried_again() {
    let outcomes = outcomes_after_a_panic(true).await;
    assert!(
        matches!(&outcomes[0], JobOutcome::Retried { reason } if reason.contains("a bad frame")),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], JobOutcome::Done);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_stage_itself_is_counted_as_a_try_too() {
    let outcomes = outcomes_after_a_panic(false).await;
    assert!(
        matches!(&outcomes[0], JobOutcome::Retried { reason } if reason.contains("a bad frame")),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], JobOutcome::Done);
}
