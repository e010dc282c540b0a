//! Starts `tester-svc` and talks to it as its surroundings do.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use facereel_domain::ids::{RunRef, SegmentIndex};
use facereel_domain::pipeline::{Lane, Stage};
use facereel_domain::settings::QueueSettings;
use facereel_messages::jobs::{DetectJob, JobAddress};
use facereel_queue::{Delivery, Message, Queue, QueueName};
use facereel_test_servers::{Rabbit, http};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(30);
/// Where jobs come from.
pub(crate) const INPUT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };
/// Where jobs that follow go.
pub(crate) const OUTPUT: QueueName = QueueName { stage: Stage::Track, lane: Lane::Interactive };

/// A broker and a store of a test's own.
pub(crate) struct Surroundings {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) queue_url: String,
    pub(crate) store: TempDir,
    _rabbit: Rabbit,
}

impl Surroundings {
    pub(crate) async fn new() -> Self {
        let rabbit = Rabbit::shared().expect("a broker can be started");
        let queue_url = rabbit.new_vhost().expect("a virtual host");
        let settings = QueueSettings { url: queue_url.clone(), ..QueueSettings::default() };
        let queue = facereel_queue::open(&settings, "test").await.expect("the broker is there");
        Self { queue, queue_url, store: tempfile::tempdir().expect("a folder"), _rabbit: rabbit }
    }

    /// Starts the service here, with these settings besides.
    pub(crate) fn start(&self, settings: &[(&str, &str)]) -> Process {
        let store = self.store.path().display().to_string();
        let mut all = vec![("queue.url", self.queue_url.as_str()), ("store.url", store.as_str())];
        all.extend(settings);
        Process::start(&all)
    }

    /// The same, once it takes jobs.
    pub(crate) fn start_ready(&self, settings: &[(&str, &str)]) -> Process {
        let mut process = self.start(settings);
        process.wait_for("ready");
        process
    }

    /// Publishes a job that does what `episode` says.
    pub(crate) async fn submit(&self, episode: &str, trace_context: Option<&str>) {
        let run = RunRef {
            ep_id: episode.parse().expect("an episode id"),
            run_id: "0123456789abcdef".parse().expect("a run id"),
        };
        let address = JobAddress { run, lane: Lane::Interactive };
        let job = DetectJob { address, segment: SegmentIndex(0), segments: 1 };
        let mut message = Message::new(facereel_messages::encode(&job).expect("a job")).expect("small");
        message.headers.trace_context = trace_context.map(str::to_owned);
        self.queue.publish(&INPUT, message).await.expect("the broker takes it");
    }

    /// The next message of a queue.
    pub(crate) async fn next_of(&self, name: QueueName) -> Delivery {
        let mut consumer = self.queue.consume(&[name], 1).await.expect("the queue can be consumed");
        let next = tokio::time::timeout(LIMIT, consumer.next()).await.expect("a message comes");
        next.expect("the queue is there").expect("the queue is open")
    }

    /// Lets jobs of `WAIT` go on.
    pub(crate) fn let_go(&self) {
        std::fs::write(self.store.path().join("go"), "go").expect("the store's folder");
    }
}

/// The service at work; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// Everything it said so far.
    pub(crate) said: Vec<String>,
    address: Option<String>,
}

impl Process {
    /// Starts it with nothing but these settings, listening wherever there is room.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command.args(["--set", "service.listen=127.0.0.1:0", "--set", "limits.threads=1"]);
        for (path, value) in settings {
            command.arg("--set").arg(format!("{path}={value}"));
        }
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the service starts");
        let errors = BufReader::new(child.stderr.take().expect("it was asked for"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // The test may have seen enough.
                let _ = sender.send(line);
            }
        });
        Self { child, lines, said: Vec::new(), address: None }
    }

    /// Waits for the log line `message` and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, message: &str) -> Value {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.said.push(line.clone());
            let Ok(entry) = serde_json::from_str::<Value>(&line) else { continue };
            if let Some(address) = entry["address"].as_str() {
                self.address = Some(address.to_owned());
            }
            if entry["message"] == message {
                return entry;
            }
        }
        panic!("'{message}' was not said:\n{}", self.said.join("\n"));
    }

    /// Status and body of what is at `path`.
    pub(crate) fn get(&mut self, path: &str) -> (u16, String) {
        if self.address.is_none() {
            self.wait_for("listening");
        }
        let address = self.address.clone().expect("it was said");
        let answer = http::get(address, path).expect("it answers");
        (answer.status, answer.body)
    }

    /// Looks at `path` again and again until its answer holds `text`.
    pub(crate) fn wait_for_answer(&mut self, path: &str, text: &str) -> u16 {
        let began = std::time::Instant::now();
        loop {
            let (status, body) = self.get(path);
            if body.contains(text) {
                return status;
            }
            assert!(began.elapsed() < LIMIT, "{path} never said '{text}':\n{body}");
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            self.said.push(line);
        }
        let status = self.child.wait().expect("a child can be waited for");
        (status, self.said.join("\n"))
    }

    /// Its exit code at its end.
    pub(crate) fn exit_code(self) -> Option<i32> {
        let (status, said) = self.end();
        // Seen where the test fails.
        let _ = writeln!(io::stderr(), "{said}");
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `target/PROFILE/examples/tester-svc`, which Cargo builds along with these tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test's program");
    let profile = test.ancestors().nth(2).expect("target/PROFILE");
    profile.join("examples/tester-svc")
}
