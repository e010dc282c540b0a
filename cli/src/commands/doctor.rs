//! `facereel doctor`: what a run needs, and whether it is here; and what the services need, where the settings name a
//! broker or a bucket.

mod services;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use facereel_domain::settings::{Provider, QueueSettings, RuntimeSettings, Settings, StoreSettings};
use facereel_inference::catalog::{CatalogError, Entry, FileState, FileStatus, ModelsDir, Role, check};
use facereel_messages::objects::ModelRecord;
use facereel_service::Threads;
use facereel_service::cpu::quota;
use facereel_video_decode::ffmpeg_versions;

use crate::console;
use crate::embedded::load_models;
use crate::exit::Exit;
use crate::operator::in_runtime;
use crate::setting_args::RunSettingArgs;
use crate::store::{self, NoSuchStore};

/// What is wrong where results can't be stored.
const DISK: &str = "disk";
/// What is wrong where no such store exists.
const STORE: &str = "store";
/// Less free space than this is too little for anything.
const LEAST_FREE_BYTES: u64 = 200_000_000;
/// With less than this a long episode may not fit.
const ENOUGH_FREE_BYTES: u64 = 2_000_000_000;

/// Check what a run needs on this machine.
///
/// Where `queue.url` names a broker, also what services need there: version, queues with their arguments and dead-letter
/// exchange, dead letters, workers of every stage, time limits. Where `store.url` names a bucket, it is tried with small
/// objects, which are removed again.
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
    let settings = args.settings.resolve()?.settings;
    let process = &settings.runtime;
    let mut findings = vec![ffmpeg(), runtime(&settings)];
    findings.extend(models(&settings));
    findings.extend(own_models(&settings));
    findings.push(location(&process.store)?);
    findings.push(threads(process));
    if process.queue.url != QueueSettings::default().url {
        findings.extend(in_runtime(async { Ok(services::broker(&settings).await) })?);
    }
    for finding in &findings {
        console::out(finding.line());
    }
    let failed = findings.iter().find(|finding| finding.health == Health::Fail);
    Ok(match failed {
        None => Exit::Done,
        Some(finding) if [DISK, services::BUCKET].contains(&finding.what) => Exit::Store,
        Some(finding) if finding.what == STORE => Exit::Usage,
        Some(finding) if finding.what == services::BROKER => Exit::Queue,
        Some(_) => Exit::Runtime,
    })
}

fn ffmpeg() -> Finding {
    let versions = ffmpeg_versions().map(|(name, version)| format!("{name} {version}"));
    Finding::new(Health::Ok, "FFmpeg", versions.join(", "))
}

/// The library, and whether it has the providers that runs with these settings ask for.
fn runtime(settings: &Settings) -> Finding {
    let (detect, embed) = (&settings.pipeline.detect, &settings.pipeline.embed);
    let embedding = if embed.enabled { embed.provider } else { Provider::Cpu };
    let loaded = load_models(&settings.runtime.models);
    match loaded.and_then(|(runtime, _)| runtime.on(detect.provider.max(embedding))) {
        Ok(runtime) => {
            let detail = format!("{} ({})", runtime.library().display(), runtime.build_info());
            Finding::new(Health::Ok, "ONNX Runtime", detail)
        }
        Err(error) => Finding::new(Health::Fail, "ONNX Runtime", error.to_string()),
    }
}

/// The catalog's files. One that these settings do not use is no reason to fail.
fn models(settings: &Settings) -> Vec<Finding> {
    let report = check(&ModelsDir::new(&settings.runtime.models.dir));
    let finding = |file: &FileStatus| {
        let place = format!("{} {}", file.entry.name, file.path.display());
        let bad = if is_used(file.entry, settings) { Health::Fail } else { Health::Warn };
        let (health, detail) = match file.state {
            FileState::Ready => (Health::Ok, place),
            FileState::Missing => (bad, format!("{place} is missing: run `facereel models fetch`")),
            FileState::Damaged => {
                (bad, format!("{place} has another digest than it should: run `facereel models fetch`"))
            }
        };
        Finding::new(health, "model", detail)
    };
    report.files.iter().map(finding).collect()
}

fn is_used(entry: &Entry, settings: &Settings) -> bool {
    let (detect, embed) = (&settings.pipeline.detect, &settings.pipeline.embed);
    match entry.role {
        Role::Runtime => settings.runtime.models.onnxruntime.is_empty(),
        Role::Detector(_) => detect.model_file.is_empty() && detect.model == entry.name,
        Role::Embedder(_) => embed.enabled && embed.model_file.is_empty() && embed.model == entry.name,
    }
}

/// Models of the user's own: whether they are there, with the digests that they must have.
fn own_models(settings: &Settings) -> Vec<Finding> {
    let models = ModelsDir::new(&settings.runtime.models.dir);
    let (detect, embed) = (&settings.pipeline.detect, &settings.pipeline.embed);
    let mut records = Vec::new();
    if !detect.model_file.is_empty() {
        records.push((&detect.model_file, detector_svc::detector_record(&models, detect)));
    }
    if embed.enabled && !embed.model_file.is_empty() {
        records.push((&embed.model_file, embedder_svc::embedder_record(&models, embed)));
    }
    let finding = |(file, record): (&String, Result<ModelRecord, CatalogError>)| match record {
        Ok(record) => Finding::new(Health::Ok, "own model", format!("{} {file}", record.role)),
        Err(error) => Finding::new(Health::Fail, "own model", format!("{:#}", anyhow::Error::from(error))),
    };
    records.into_iter().map(finding).collect()
}

fn location(settings: &StoreSettings) -> Result<Finding> {
    in_runtime(async {
        Ok(match store::open_settings(settings).await {
            Ok(store) if store.url().starts_with("s3://") => services::bucket(&store).await,
            Ok(_) => disk(settings),
            Err(error) => {
                let what = if error.is::<NoSuchStore>() { STORE } else { services::BUCKET };
                Finding::new(Health::Fail, what, format!("{error:#}"))
            }
        })
    })
}

fn disk(settings: &StoreSettings) -> Finding {
    let what = DISK;
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

    fn store_at(url: &str) -> StoreSettings {
        StoreSettings { url: url.to_owned(), ..StoreSettings::default() }
    }

    #[test]
    fn a_folder_that_is_yet_to_be_made_is_judged_by_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing_part(&folder.path().join("a/b")), folder.path());
    }

    #[test]
    fn a_store_with_space_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let finding = location(&store_at(&folder.path().display().to_string())).unwrap();
        assert!(finding.line().contains("GB free"), "{finding:?}");
    }

    #[test]
    fn a_store_that_does_not_exist_is_reported() {
        let finding = location(&store_at("gs://bucket")).unwrap();
        assert_eq!(finding.health, Health::Fail);
        assert!(finding.line().contains("there is no store with scheme 'gs'"), "{finding:?}");
    }
}
