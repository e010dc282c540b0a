//! Log lines on standard error, between the progress bars where there are any.

use std::io::{self, Write};

use facereel_domain::settings::LogFormat;
use facereel_settings::{Resolved, SettingsError, Source};
use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;

/// What is logged where nobody set a level: a person who watches progress is told about what goes wrong only.
/// The worker loop is left out: how a run ended is told otherwise, and retries by the runner.
const WATCHED_LEVEL: &str = "warn,facereel_service::worker=off";

/// Starts logging as `resolved` says; lines go above `bars`. Directives that can't be read are refused.
pub(crate) fn start(resolved: &Resolved, bars: &MultiProgress) -> Result<(), SettingsError> {
    let log = &resolved.settings.runtime.log;
    let level = match resolved.sources.get("log.level") {
        None | Some(Source::Default) => WATCHED_LEVEL,
        Some(_) => &log.level,
    };
    let filter = EnvFilter::try_new(level).map_err(|_| SettingsError::NotAllowed {
        path: "log.level".to_owned(),
        value: level.to_owned(),
        allowed: "a level (info) or directives (info,facereel_queue=debug)".to_owned(),
        source_of: resolved.sources.get("log.level").cloned().unwrap_or(Source::Default),
    })?;
    let bars = bars.clone();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || AboveBars(bars.clone()));
    // A second start in one process (tests) keeps the first.
    let _ = match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
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
