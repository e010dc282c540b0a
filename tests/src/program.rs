//! The program as a process.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::build;

/// Longest time that any call of the program may take here.
const LIMIT: Duration = Duration::from_secs(100);

/// A call of the program.
#[derive(Debug, Clone)]
pub struct Call {
    arguments: Vec<OsString>,
    /// A command line that ends in the program's, and makes its life harder.
    wrapper: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output and standard error.
    pub said: String,
}

impl Call {
    /// `facereel ARGUMENTS`.
    pub fn new(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self { arguments, wrapper: Vec::new(), environment: Vec::new() }
    }

    /// `facereel run VIDEO --out OUT`.
    #[must_use]
    pub fn run(video: &Path, out: &Path) -> Self {
        Self::new([OsString::from("run"), video.into(), "--out".into(), out.into()])
    }

    /// `facereel verify OUT`.
    #[must_use]
    pub fn verify(out: &Path) -> Self {
        Self::new([OsString::from("verify"), out.into()])
    }

    /// The same with more arguments.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// The same with more variables in its environment.
    #[must_use]
    pub fn with_environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.environment.extend(variables.iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The same where no file may become larger than `kib`: writing on fails as on a full disk, and needs no rights.
    #[must_use]
    pub fn with_files_up_to_kib(mut self, kib: u64) -> Self {
        // `sh` counts in half KiB. The signal that would end the program is ignored, so that the write fails.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib * 2);
        self.wrapper = ["sh", "-c", &script, "sh"].map(OsString::from).to_vec();
        self
    }

    /// The same without root's right to read every file; without effect for others, who do not have it.
    #[must_use]
    pub fn without_root_rights(mut self) -> Self {
        if rustix::process::geteuid().is_root() {
            let caps = "-dac_override,-dac_read_search";
            let words = ["setpriv", "--inh-caps", caps, "--bounding-set", caps, "--"];
            self.wrapper = words.map(OsString::from).to_vec();
        }
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// Where it can't be started.
    #[must_use]
    pub fn start(&self) -> Running {
        let folder = tempfile::tempdir().expect("a folder for what it says");
        let said = folder.path().join("said");
        let output = File::create(&said).expect("a file for what it says");
        let errors = output.try_clone().expect("a second handle");
        let mut words = self.wrapper.clone();
        words.push(build::program().into());
        words.extend(self.arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.args(&words[1..]).stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut child = command.spawn().expect("the program starts");
        let pid = Pid::from_child(&child);
        let (ended, end) = channel();
        thread::spawn(move || {
            // The test may have gone.
            let _ = ended.send(child.wait());
        });
        Running { pid, said, _folder: folder, end, began: Instant::now(), status: None }
    }

    /// Starts it and waits for its end.
    #[must_use]
    pub fn finish(&self) -> Ended {
        self.start().finish()
    }

    /// Starts it, waits for its end and insists on success.
    ///
    /// # Panics
    ///
    /// Where it fails; the message has what it said.
    #[expect(clippy::must_use_candidate, reason = "most callers need no more than that it succeeds")]
    pub fn succeed(&self) -> Ended {
        let ended = self.finish();
        assert_eq!(ended.code, Some(0), "facereel {:?} failed:\n{}", self.arguments, ended.said);
        ended
    }
}

/// A call at work; killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    said: PathBuf,
    _folder: tempfile::TempDir,
    end: Receiver<std::io::Result<ExitStatus>>,
    began: Instant,
    status: Option<ExitStatus>,
}

impl Running {
    /// Waits until `happened`, looking again and again; `false` where the program ended before.
    ///
    /// # Panics
    ///
    /// Where it takes longer than any call may.
    pub fn wait_until(&mut self, mut happened: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if happened(self) {
                return true;
            }
            if self.ends_within(Duration::from_millis(2)) {
                return happened(self);
            }
        }
    }

    /// Whether it is over.
    ///
    /// # Panics
    ///
    /// Where it takes longer than any call may.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// Where the system refuses.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("our own process takes signals");
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// Where it takes longer than any call may.
    #[must_use]
    pub fn finish(mut self) -> Ended {
        while !self.ends_within(Duration::from_secs(1)) {}
        let code = self.status.and_then(|status| status.code());
        Ended { code, said: self.said() }
    }

    /// What it said so far.
    ///
    /// # Panics
    ///
    /// Where that is not there.
    #[must_use]
    pub fn said(&self) -> String {
        let said = fs::read(&self.said).expect("what it said is there");
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Names of its threads, or nothing once it has ended.
    #[must_use]
    pub fn threads(&self) -> Vec<String> {
        let tasks = format!("/proc/{}/task", self.pid.as_raw_nonzero());
        let names = fs::read_dir(tasks).into_iter().flatten().flatten();
        names
            .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
            .map(|n| n.trim().to_owned())
            .collect()
    }

    fn ends_within(&mut self, time: Duration) -> bool {
        assert!(self.began.elapsed() < LIMIT, "the program takes longer than {LIMIT:?}");
        if self.status.is_none() {
            self.status =
                self.end.recv_timeout(time).ok().map(|status| status.expect("a child can be waited for"));
        }
        self.status.is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ends_within(Duration::ZERO) {
            // It may end at this very moment.
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}
