//! The service as it is shipped: over a real broker and a store in a folder.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Lane;
use facereel_domain::settings::QueueSettings;
use facereel_messages::jobs::{JobAddress, TrackJob};
use facereel_queue::Message;
use facereel_service::NextJob;
use facereel_test_servers::{Rabbit, http};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Killed when it is dropped.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_late_job_of_a_committed_run_is_done_and_the_service_stops_when_told() {
    let rabbit = Rabbit::shared().unwrap();
    let url = rabbit.new_vhost().unwrap();
    let store = tempfile::tempdir().unwrap();
    let run = RunRef { ep_id: "TEST-S01E01".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
    let manifest = store.path().join(RunLayout::new(&run).manifest().as_str());
    std::fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    std::fs::write(manifest, "{}").unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_tracker-svc"));
    let settings = [format!("queue.url={url}"), format!("store.url={}", store.path().display())];
    command.args(["--set", "service.listen=127.0.0.1:0", "--set", &settings[0], "--set", &settings[1]]);
    let mut service = Service(command.stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(service.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = |message: &str| -> Value {
        let entries = lines.by_ref().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        entries.into_iter().find(|entry| entry["message"] == message).unwrap()
    };
    let address = said("listening")["address"].as_str().unwrap().to_owned();
    said("ready");
    for path in ["/healthz", "/readyz"] {
        let answer = http::get(&address, path).unwrap();
        assert!(answer.is_good(), "{answer:?}");
    }

    let queue_settings = QueueSettings { url, ..QueueSettings::default() };
    let queue = facereel_queue::open(&queue_settings, "test").await.unwrap();
    let job = TrackJob { address: JobAddress { run, lane: Lane::Backfill }, segments: 3 };
    let job = NextJob::new(&job).unwrap();
    queue.publish(&job.queue, Message::new(job.body).unwrap()).await.unwrap();
    let done = r#"facereel_jobs_total{stage="track",lane="backfill",outcome="done"} 1"#;
    while !http::get(&address, "/metrics").unwrap().body.contains(done) {
        assert!(http::get(&address, "/healthz").unwrap().is_good());
    }
    kill_process(Pid::from_child(&service.0), Signal::TERM).unwrap();
    assert_eq!(service.0.wait().unwrap().code(), Some(0));
    assert_eq!(queue.depth(&job.queue).await.unwrap().ready, 0);
}
