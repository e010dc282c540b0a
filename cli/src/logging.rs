//! Log lines on standard error, between the progress bars where there are any.

use std::io::{self, Write};

use facereel_domain::settings::LogFormat;
use facereel_settings::{Resolved, Source};
use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

/// What is logged where nobody set a level: a person who watches progress is told about what goes wrong only.
/// The worker loop is left out: how a run ended is told otherwise, and retries by the runner.
const WATCHED_LEVEL: &str = "warn,facereel_service::worker=off";

/// Starts logging as `resolved` says; lines go above `bars`.
pub(crate) fn start(resolved: &Resolved, bars: &MultiProgress) {
    let log = &resolved.settings.runtime.log;
    let level = match resolved.sources.get("log.level") {
        None | Some(Source::Default) => WATCHED_LEVEL,
        Some(_) => &log.level,
    };
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new(WATCHED_LEVEL));
    let bars = bars.clone();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || AboveBars(bars.clone()));
    // A second start in one process (tests) keeps the first.
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}

/// Standard error while bars are drawn on it.
struct AboveBars(MultiProgress);

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
