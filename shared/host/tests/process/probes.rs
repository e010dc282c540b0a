//! What a service tells about itself.

use rustix::process::Signal;

use crate::rig::{OUTPUT, Process, Surroundings};

#[tokio::test]
async fn a_service_is_ready_once_it_has_all_it_needs_and_counts_what_it_does() {
    let around = Surroundings::new().await;
    let mut service = around.start_ready(&[("service.slots", "3")]);
    let ready = "models: ok\nbroker: ok\nstore: ok\nintake: ok\n";
    assert_eq!(service.get("/readyz"), (200, ready.to_owned()));
    assert_eq!(service.wait_for_answer("/healthz", "detect: ok\n"), 200);
    assert_eq!(service.get("/").0, 404);

    around.submit("WRITE", None).await;
    around.next_of(OUTPUT).await.ack().await.unwrap();
    let done = r#"facereel_jobs_total{stage="detect",lane="interactive",outcome="done"} 1"#;
    assert_eq!(service.wait_for_answer("/metrics", done), 200);
    let (_, metrics) = service.get("/metrics");
    for line in [
        r#"facereel_queue_wait_seconds_count{stage="detect",lane="interactive"} 1"#,
        r#"facereel_job_duration_seconds_count{stage="detect"} 1"#,
        r#"facereel_job_slots{stage="detect"} 3"#,
        r#"facereel_ready{part="broker"} 1"#,
        "facereel_compute_threads 1",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|l| l == line), "no '{line}' in\n{metrics}");
    }
}

#[test]
fn a_service_that_starts_answers_and_says_what_it_waits_for() {
    let store = tempfile::tempdir().unwrap();
    let url = store.path().display().to_string();
    let mut service = Process::start(&[("queue.url", "amqp://guest:guest@127.0.0.1:1"), ("store.url", &url)]);
    service.wait_for("not reached; trying on");
    assert_eq!(service.wait_for_answer("/readyz", "models: ok\nbroker: RabbitMQ at 127.0.0.1:1"), 503);
    assert_eq!(service.get("/healthz").0, 200);
    service.signal(Signal::TERM);
    assert_eq!(service.exit_code(), Some(0));
}

#[tokio::test]
async fn log_lines_of_a_job_say_which_job() {
    let around = Surroundings::new().await;
    let mut service = around.start_ready(&[
        ("service.fail_point", "hang@before-write"),
        ("log.level", "warn,facereel_host=info"),
    ]);
    around.submit("WRITE", None).await;
    let line = service.wait_for("fail point reached: Hang at before-write, time 1, where ''");
    let span = &line["spans"][0];
    assert_eq!(
        (&span["name"], &span["stage"], &span["ep_id"]),
        (&"job".into(), &"detect".into(), &"WRITE".into())
    );
    assert_eq!((&span["run_id"], &span["part"]), (&"0123456789abcdef".into(), &"segment 1 of 1".into()));
    assert_eq!(span["trace_id"].as_str().map(str::len), Some(32), "{line}");
}

#[test]
fn no_password_is_ever_logged() {
    let store = tempfile::tempdir().unwrap();
    let url = store.path().display().to_string();
    let service = Process::start(&[
        ("queue.url", "amqp://somebody:hunter2secret@127.0.0.1:1/films"),
        ("store.url", &url),
        ("log.level", "trace"),
        ("service.start_timeout_sec", "1"),
    ]);
    let (status, said) = service.end();
    assert_eq!(status.code(), Some(6));
    assert!(said.contains("127.0.0.1:1"), "{said}");
    assert!(!said.contains("hunter2secret"), "{said}");
}
