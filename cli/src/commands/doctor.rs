//! `facereel doctor`: what a run needs, and whether it is here.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use facereel_domain::settings::{RuntimeSettings, StoreSettings};
use facereel_inference::catalog::{FileState, ModelsDir, check};
use facereel_service::cpu::quota;
use facereel_video_decode::ffmpeg_versions;

use crate::console;
use crate::embedded::{Threads, load_models};
use crate::exit::Exit;
use crate::setting_args::RunSettingArgs;

/// Less free space than this is too little for anything.
const LEAST_FREE_BYTES: u64 = 200_000_000;
/// With less than this a long episode may not fit.
const ENOUGH_FREE_BYTES: u64 = 2_000_000_000;

/// Check what a run needs on this machine.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    settings: RunSettingArgs,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    health: Health,
    what: &'static str,
    detail: String,
}

impl Finding {
    fn new(health: Health, what: &'static str, detail: impl Into<String>) -> Self {
        Self { health, what, detail: detail.into() }
    }

    fn line(&self) -> String {
        let health = match self.health {
            Health::Ok => "ok",
            Health::Warn => "warn",
            Health::Fail => "FAIL",
        };
        format!("{health:<4}  {:<13} {}", self.what, self.detail)
    }
}

/// Looks at everything and reports; fails where something is missing that a run needs.
pub(crate) fn run(args: &DoctorArgs) -> Result<Exit> {
    let settings = args.settings.resolve()?.settings.runtime;
    let mut findings = vec![ffmpeg(), runtime(&settings)];
    findings.extend(models(&settings));
    findings.push(store(&settings.store));
    findings.push(threads(&settings));
    for finding in &findings {
        console::out(finding.line());
    }
    let worst = findings.iter().map(|finding| finding.health).max();
    Ok(if worst == Some(Health::Fail) { Exit::Runtime } else { Exit::Done })
}

fn ffmpeg() -> Finding {
    let versions = ffmpeg_versions().map(|(name, version)| format!("{name} {version}"));
    Finding::new(Health::Ok, "FFmpeg", versions.join(", "))
}

fn runtime(settings: &RuntimeSettings) -> Finding {
    match load_models(&settings.models) {
        Ok((runtime, _)) => {
            let detail = format!("{} ({})", runtime.library().display(), runtime.build_info());
            Finding::new(Health::Ok, "ONNX Runtime", detail)
        }
        Err(error) => Finding::new(Health::Fail, "ONNX Runtime", error.to_string()),
    }
}

fn models(settings: &RuntimeSettings) -> Vec<Finding> {
    let report = check(&ModelsDir::new(&settings.models.dir));
    let finding = |file: &facereel_inference::catalog::FileStatus| {
        let place = format!("{} {}", file.entry.name, file.path.display());
        let (health, detail) = match file.state {
            FileState::Ready => (Health::Ok, place),
            FileState::Missing => (Health::Fail, format!("{place} is missing: run `facereel models fetch`")),
            FileState::Damaged => (
                Health::Fail,
                format!("{place} has another digest than it should: run `facereel models fetch`"),
            ),
        };
        Finding::new(health, "model", detail)
    };
    report.files.iter().map(finding).collect()
}

fn store(settings: &StoreSettings) -> Finding {
    let what = "disk";
    let path = settings.url.strip_prefix("file://").unwrap_or(&settings.url);
    let place = existing_part(Path::new(path));
    let Ok(space) = rustix::fs::statvfs(&place) else {
        return Finding::new(
            Health::Warn,
            what,
            format!("the free space at {} can't be read", place.display()),
        );
    };
    let free = space.f_bavail * space.f_frsize;
    let detail = format!("{:.1} GB free at {}", free as f64 / 1e9, place.display());
    match free {
        _ if rustix::fs::access(&place, rustix::fs::Access::WRITE_OK).is_err() => {
            let detail = format!("{} can't be written to: choose another --out", place.display());
            Finding::new(Health::Fail, what, detail)
        }
        0..LEAST_FREE_BYTES => Finding::new(Health::Fail, what, detail + ": free some space"),
        LEAST_FREE_BYTES..ENOUGH_FREE_BYTES => {
            Finding::new(Health::Warn, what, detail + ": a long episode may not fit")
        }
        _ => Finding::new(Health::Ok, what, detail),
    }
}

/// The nearest folder at or above `path` that exists: what is missing is made by the first run.
fn existing_part(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().find(|part| part.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn threads(settings: &RuntimeSettings) -> Finding {
    let available = quota();
    let Threads { compute, cpu_percent } = Threads::here(&settings.limits);
    let detail = format!(
        "{compute} compute threads, up to {cpu_percent} % of a CPU, of {available} CPUs that may be used"
    );
    if compute > available {
        let advice = "; more threads than CPUs make a run slower: lower limits.threads";
        return Finding::new(Health::Warn, "threads", detail + advice);
    }
    Finding::new(Health::Ok, "threads", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_yet_to_be_made_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing_part(&folder.path().join("a/b")), folder.path());
    }

    #[test]
    fn a_store_with_space_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let finding = store(&StoreSettings { url: folder.path().display().to_string() });
        assert!(finding.line().contains("GB free"), "{finding:?}");
    }
}
