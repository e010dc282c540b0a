//! Services as processes, and somebody who starts them again when they die, as an orchestrator would.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use facereel_test_servers::http::{self, Answer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::build;

/// Every service.
pub const SERVICES: [&str; 4] = ["detector-svc", "tracker-svc", "embedder-svc", "exporter-svc"];

/// Longest wait for anything, on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(90);
/// How soon is looked again at what nobody tells of.
const TICK: Duration = Duration::from_millis(50);
/// Lines that are shown beside a failure.
const SHOWN: usize = 60;

/// A service to start, one process of it.
#[derive(Debug, Clone)]
pub struct Replica {
    /// What it is called here.
    name: &'static str,
    service: &'static str,
    settings: Vec<String>,
    /// For its first process only: the next has to get on.
    fail_point: Option<String>,
}

impl Replica {
    /// `service` with the settings of the fleet.
    #[must_use]
    pub fn of(service: &'static str) -> Self {
        Self { name: service, service, settings: Vec::new(), fail_point: None }
    }

    /// The same under another name, to tell replicas of a service with different settings apart.
    #[must_use]
    pub fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The same with `PATH=VALUE` besides.
    #[must_use]
    pub fn with(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same, failing once, as `service.fail_point` describes.
    #[must_use]
    pub fn failing(mut self, fail_point: &str) -> Self {
        self.fail_point = Some(fail_point.to_owned());
        self
    }
}

/// A process that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// What it was called: its service, unless it got another name.
    pub service: &'static str,
    /// Its exit code; nothing where a signal ended it.
    pub code: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
}

impl Death {
    /// Whether somebody killed it, maybe itself.
    #[must_use]
    pub fn is_kill(&self) -> bool {
        self.signal == Some(Signal::KILL.as_raw())
    }

    fn of(service: &'static str, status: ExitStatus) -> Self {
        Self { service, code: status.code(), signal: status.signal() }
    }
}

/// Services at work; killed when this is dropped.
pub struct Fleet {
    shared: Arc<Shared>,
    keepers: Vec<JoinHandle<()>>,
}

struct Shared {
    environment: Vec<(String, String)>,
    state: Mutex<State>,
    /// Somebody said or did something.
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// By the number of their replica. Nobody is taken out of here before its end, so that no signal hits another's process.
    alive: BTreeMap<usize, (&'static str, Child)>,
    deaths: Vec<Death>,
    /// What each said, with its name.
    said: Vec<(&'static str, Value)>,
    /// Replicas that are not started again.
    retired: BTreeSet<usize>,
    /// Processes that were started so far, by the name of their replica.
    starts: BTreeMap<&'static str, usize>,
    is_over: bool,
}

impl Fleet {
    /// Nobody yet; whoever comes gets these variables in its environment.
    #[must_use]
    pub fn new(environment: Vec<(String, String)>) -> Self {
        let shared = Shared { environment, state: Mutex::default(), news: Condvar::new() };
        Self { shared: Arc::new(shared), keepers: Vec::new() }
    }

    /// Starts `replica`, and starts it again whenever it ends; its number.
    pub fn start(&mut self, replica: Replica) -> usize {
        let (number, shared) = (self.keepers.len(), Arc::clone(&self.shared));
        self.keepers.push(thread::spawn(move || shared.keep(number, replica)));
        number
    }

    /// Tells replica `number` to stop, and does not start it again.
    pub fn retire(&self, number: usize) {
        let mut state = self.shared.state();
        state.retired.insert(number);
        state.signal_one(number, Signal::TERM);
    }

    /// Kills the process of replica `number`; whether it had one.
    #[must_use]
    pub fn kill(&self, number: usize) -> bool {
        self.shared.state().signal_one(number, Signal::KILL)
    }

    /// Whether replica `number` has a process.
    #[must_use]
    pub fn is_alive(&self, number: usize) -> bool {
        self.shared.state().alive.contains_key(&number)
    }

    /// How many processes replicas of this name have had so far.
    #[must_use]
    pub fn starts(&self, name: &str) -> usize {
        self.shared.state().starts.get(name).copied().unwrap_or_default()
    }

    /// The processes that ended so far.
    #[must_use]
    pub fn deaths(&self) -> Vec<Death> {
        self.shared.state().deaths.clone()
    }

    /// Where `service` answers, once it has said so.
    fn address_of(&self, service: &str) -> Option<String> {
        let state = self.shared.state();
        let mut lines = state.said.iter().rev().filter(|(name, _)| *name == service);
        lines.find_map(|(_, line)| line["address"].as_str().map(str::to_owned))
    }

    /// How often replicas of `service` logged `message`.
    #[must_use]
    pub fn times_said(&self, service: &str, message: &str) -> usize {
        let state = self.shared.state();
        state.said.iter().filter(|(name, line)| *name == service && line["message"] == message).count()
    }

    /// What the replica of `service` that came last answers at `path`; nothing where it does not answer.
    #[must_use]
    pub fn answer_of(&self, service: &str, path: &str) -> Option<Answer> {
        http::get(self.address_of(service)?, path).ok()
    }

    /// Waits until `happened`, looking again whenever a service says or does something, and now and then.
    ///
    /// # Panics
    ///
    /// Where that takes too long.
    pub fn wait_until(&self, what: &str, mut happened: impl FnMut() -> bool) {
        let began = Instant::now();
        while !happened() {
            assert!(began.elapsed() < LIMIT, "{what}: not after {LIMIT:?}");
            let waiting = self.shared.news.wait_timeout(self.shared.state(), TICK);
            drop(waiting);
        }
    }

    /// Kills every process of it as a power cut would.
    pub fn kill_all(&self) {
        self.shared.state().signal(Signal::KILL);
    }

    /// Tells all to stop and waits until they have; how they ended.
    ///
    /// # Panics
    ///
    /// Where that takes too long.
    #[must_use]
    pub fn stop(mut self) -> Vec<Death> {
        let before = {
            let mut state = self.shared.state();
            state.is_over = true;
            state.signal(Signal::TERM);
            state.deaths.len()
        };
        self.wait_until("services stop", || self.shared.state().alive.is_empty());
        self.join();
        self.deaths().split_off(before)
    }

    fn join(&mut self) {
        for keeper in self.keepers.drain(..) {
            // One that panicked has said so.
            let _ = keeper.join();
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if thread::panicking() {
            // It was only for the reader.
            let _ = self.shared.show();
        }
        {
            let mut state = self.shared.state();
            state.is_over = true;
            state.signal(Signal::KILL);
        }
        self.join();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, number: usize, mut replica: Replica) {
        while let Some(errors) = self.spawn(number, &mut replica) {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                self.state().said.push((replica.name, line));
                self.news.notify_all();
            }
            // It holds its standard error as long as it lives.
            let mut state = self.state();
            if let Some((service, mut child)) = state.alive.remove(&number) {
                let status = child.wait().expect("a child can be waited for");
                state.deaths.push(Death::of(service, status));
            }
            self.news.notify_all();
        }
    }

    /// Starts a process, unless all is over or the replica retired.
    fn spawn(&self, number: usize, replica: &mut Replica) -> Option<ChildStderr> {
        let mut state = self.state();
        if state.is_over || state.retired.contains(&number) {
            return None;
        }
        let mut command = Command::new(build::service(replica.service));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let fail_point = replica.fail_point.take().map(|text| format!("service.fail_point={text}"));
        for setting in replica.settings.iter().chain(&fail_point) {
            command.args(["--set", setting]);
        }
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the service starts");
        let errors = child.stderr.take();
        state.alive.insert(number, (replica.name, child));
        *state.starts.entry(replica.name).or_default() += 1;
        errors
    }

    /// Tells how it went, for whoever reads of a failure.
    fn show(&self) -> io::Result<()> {
        let state = self.state();
        let skipped = state.said.len().saturating_sub(SHOWN);
        let mut out = io::stderr().lock();
        for (service, line) in state.said.iter().skip(skipped) {
            writeln!(out, "{service}: {line}")?;
        }
        writeln!(out, "ended before: {:?}", state.deaths)
    }
}

impl State {
    fn signal(&self, signal: Signal) {
        for number in self.alive.keys() {
            self.signal_one(*number, signal);
        }
    }

    /// Whether there was a process to take the signal.
    fn signal_one(&self, number: usize, signal: Signal) -> bool {
        // It may end at this very moment.
        self.alive.get(&number).is_some_and(|(_, child)| kill_process(Pid::from_child(child), signal).is_ok())
    }
}
