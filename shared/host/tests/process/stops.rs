//! How a service comes to its end, and what becomes of its jobs.

use rustix::process::Signal;

use crate::rig::{INPUT, OUTPUT, Surroundings};

#[tokio::test]
async fn a_service_does_jobs_until_it_is_told_to_stop() {
    let around = Surroundings::new().await;
    let service = around.start_ready(&[]);
    around.submit("WRITE", None).await;
    around.next_of(OUTPUT).await.ack().await.unwrap();
    service.signal(Signal::TERM);
    assert_eq!(service.exit_code(), Some(0));
    assert_eq!(around.queue.depth(&INPUT).await.unwrap().ready, 0);
}

#[tokio::test]
async fn jobs_at_work_may_end_and_no_other_begins() {
    let around = Surroundings::new().await;
    let mut service = around.start_ready(&[]);
    around.submit("WAIT", None).await;
    service.wait_for_answer("/metrics", "facereel_jobs_in_flight{stage=\"detect\"} 1");
    service.signal(Signal::INT);
    service.wait_for("told to stop");
    assert_eq!(service.wait_for_answer("/readyz", "intake: stopping"), 503);
    assert_eq!(service.get("/healthz").0, 200);
    around.submit("WRITE", None).await;
    around.let_go();
    assert_eq!(service.exit_code(), Some(0));
    around.next_of(OUTPUT).await.ack().await.unwrap();
    let left = around.next_of(INPUT).await;
    assert_eq!(left.message.headers.attempt, 1);
}

#[tokio::test]
async fn a_second_signal_hands_jobs_back_at_once() {
    let around = Surroundings::new().await;
    let mut service = around.start_ready(&[]);
    around.submit("WAIT", None).await;
    service.wait_for_answer("/metrics", "facereel_jobs_in_flight{stage=\"detect\"} 1");
    service.signal(Signal::TERM);
    service.wait_for("told to stop");
    service.signal(Signal::TERM);
    assert_eq!(service.exit_code(), Some(8));
    let handed_back = around.next_of(INPUT).await;
    assert_eq!(handed_back.message.headers.attempt, 1, "it did not fail");
}

#[tokio::test]
async fn jobs_that_do_not_listen_are_handed_back_at_the_deadline() {
    let around = Surroundings::new().await;
    let mut service = around.start_ready(&[("service.drain_sec", "0.5")]);
    around.submit("STUBBORN", None).await;
    service.wait_for_answer("/metrics", "facereel_jobs_in_flight{stage=\"detect\"} 1");
    service.signal(Signal::TERM);
    assert_eq!(service.exit_code(), Some(8));
    assert_eq!(around.next_of(INPUT).await.message.headers.attempt, 1);
}

#[tokio::test]
async fn a_job_that_hangs_goes_back_as_a_failed_try_and_ends_the_service() {
    let around = Surroundings::new().await;
    let limit = [("service.job_timeout_sec", "1"), ("queue.retry_sec", "0.1")];
    let service = around.start_ready(&limit);
    around.submit("HANG", None).await;
    assert_eq!(service.exit_code(), Some(7));
    assert_eq!(around.next_of(INPUT).await.message.headers.attempt, 2);
}
