//! The process around the stages of a service.
//!
//! ```text
//! settings -> logs, traces -> probes answer -> models loaded and warm, broker and store reached -> ready, jobs
//!          -> SIGTERM -> no further jobs -> those at work end, or are handed back -> exit code
//! ```
//!
//! Promises:
//!
//! 1. Whenever the process dies, its jobs come back: it acknowledges nothing that is not done (the worker loop's order).
//! 2. It stops within `service.drain_sec`, whatever its jobs do; a job that hangs ends it, too.
//! 3. Its exit code says what happened ([`Exit`]).
//! 4. It contacts the broker, the store and the collector that its settings name, and nobody else; it listens on loopback
//!    unless told otherwise.
//! 5. No secret stands in a log line, a metric or an answer.
//!
//! Deliberately absent: what a service does (its stages), and any configuration of its own.

mod args;
mod crew;
mod exit;
mod health;
mod http;
mod metrics;
mod reach;
mod serve;
mod telemetry;
mod trap;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use facereel_domain::cause::chain;
use facereel_service::Service;
use facereel_settings::{Resolved, Source};
use tokio::runtime::{Builder, Runtime};
use tracing::{error, info, warn};

use crate::args::Args;
use crate::exit::StartError;
use crate::serve::serve;
use crate::telemetry::Telemetry;

pub use exit::Exit;

/// Threads of the runtime: they wait and copy, while compute threads work. Two, so that probes are answered while the
/// other is busy with a large object.
const RUNTIME_THREADS: usize = 2;
/// Threads for calls to the file system and for loading models.
const BLOCKING_THREADS: usize = 4;
/// How long tasks that do not end may keep the process at its end.
const LINGER: Duration = Duration::from_millis(500);

/// Runs a service: the whole of its `main`.
#[must_use]
pub fn run<S: Service>() -> ExitCode {
    facereel_service::memory::return_large_blocks();
    let args = Args::of_process::<S>();
    start::<S>(&args)
        .unwrap_or_else(|error| {
            // Logging may not have begun.
            let _ = writeln!(io::stderr(), "error: {}", chain(&error));
            error.exit()
        })
        .into()
}

fn start<S: Service>(args: &Args) -> Result<Exit, StartError> {
    let resolved = args.resolve()?;
    let runtime = runtime()?;
    let telemetry = Telemetry::start(S::NAME, &resolved, runtime.handle())?;
    describe(&resolved)?;
    let exit = runtime.block_on(serve::<S>(&resolved.settings, telemetry::link()));
    let exit = exit.unwrap_or_else(|error| {
        let exit = error.exit();
        error!(code = exit.code(), reason = chain(&error), "{}", exit.meaning());
        exit
    });
    telemetry.end();
    runtime.shutdown_timeout(LINGER);
    Ok(exit)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("runtime")
        .enable_all()
        .build()
}

/// Logs, once, what was set by anybody; credentials are left out.
fn describe(resolved: &Resolved) -> Result<(), StartError> {
    for set in resolved.report()?.iter().filter(|set| set.source != Source::Default) {
        info!(value = set.value, source = %set.source, "setting {}", set.path);
    }
    for note in &resolved.notes {
        warn!("{note}");
    }
    Ok(())
}
