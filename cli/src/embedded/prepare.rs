//! From arguments to a request: what is to be done, and under which name.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use detector_svc::Detectors;
use detector_svc::plan::{Identity, identify};
use embedder_svc::Embedders;
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_domain::settings::{ModelSettings, PipelineSettings, Settings, SourceSettings};
use facereel_inference::catalog::ModelsDir;
use facereel_inference::{InferenceError, Runtime};
use facereel_messages::objects::{ModelRecord, RunRequest, Source, run_id};
use facereel_service::StageError;
use facereel_settings::{Resolved, canonical_text};
use facereel_video_decode::{Input, scan};

/// A video that can't be asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It can't be read.
    #[error("the video {} can't be read (check the path and its permissions)", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("{} is no regular file: name one video file", path.display())]
    NoFile {
        /// Its path.
        path: PathBuf,
    },
    /// Its path can't be written down.
    #[error("the path {} is not UTF-8 and can't be recorded: rename the video", path.display())]
    Name {
        /// Its path.
        path: PathBuf,
    },
    /// It lies where videos may not come from.
    #[error("{} lies outside of source.allowed_roots: move it there, or allow its folder", path.display())]
    NotAllowed {
        /// Its path.
        path: PathBuf,
    },
}

/// A run that is ready to be started.
pub(crate) struct Prepared {
    /// What determines the artifacts.
    pub(crate) request: RunRequest,
    /// Settings, with frames counted at the video's rate.
    pub(crate) resolved: Resolved,
    /// The video's path as given.
    pub(crate) video: PathBuf,
    /// ONNX Runtime.
    pub(crate) runtime: Runtime,
    /// Where models lie.
    pub(crate) models: ModelsDir,
}

impl Prepared {
    /// Looks at the video and the models and names the run.
    pub(crate) fn new(video: &Path, episode: Option<EpisodeId>, resolved: Resolved) -> Result<Self> {
        let path = readable_file(video)?;
        let ep_id = episode.map_or_else(|| episode_of(video), Ok)?;
        check_allowed(&path, &resolved.settings.runtime.source)?;
        let resolved = at_frame_rate(resolved, &path)?;
        let Settings { pipeline, runtime: process, .. } = &resolved.settings;
        let (runtime, models) = load_models(&process.models)?;
        let records = model_records(&models, &resolved.settings)?;
        let extent = if process.source.whole_digest { Identity::Whole } else { Identity::Sampled };
        let identity = identify(&path, extent)
            .map_err(|source| InputError::Unreadable { path: video.to_owned(), source })?;
        try_own_models(&runtime, &models, &records, pipeline)?;
        let program_version = env!("CARGO_PKG_VERSION").to_owned();
        let run_id = run_id(&identity, &canonical_text(pipeline)?, &records, &program_version);
        let url = path.to_str().map(|path| format!("file://{path}"));
        let url = url.ok_or_else(|| InputError::Name { path: video.to_owned() })?;
        let request = RunRequest {
            run: RunRef { ep_id, run_id },
            source: Source { url, identity },
            pipeline: pipeline.clone(),
            models: records,
            program_version,
        };
        Ok(Self { request, resolved, video: video.to_owned(), runtime, models })
    }
}

/// ONNX Runtime and the folder of the models.
pub(crate) fn load_models(settings: &ModelSettings) -> Result<(Runtime, ModelsDir), InferenceError> {
    let models = ModelsDir::new(&settings.dir);
    let library = Some(Path::new(&settings.onnxruntime)).filter(|path| !path.as_os_str().is_empty());
    Ok((Runtime::load(library, &models)?, models))
}

fn readable_file(video: &Path) -> Result<PathBuf, InputError> {
    let unreadable = |source| InputError::Unreadable { path: video.to_owned(), source };
    if !video.metadata().map_err(unreadable)?.is_file() {
        return Err(InputError::NoFile { path: video.to_owned() });
    }
    video.canonicalize().map_err(unreadable)
}

/// The episode that a file's name stands for.
fn episode_of(video: &Path) -> Result<EpisodeId> {
    let stem = video.file_stem().unwrap_or_default().to_string_lossy();
    EpisodeId::sanitized(&stem)
        .ok_or_else(|| stem.parse::<EpisodeId>().err())
        .map_err(|bad| match bad {
            Some(error) => anyhow::Error::from(error),
            None => anyhow::anyhow!("'{stem}' is no episode id"),
        })
        .context("the file's name gives no episode id: add --episode ID")
}

fn check_allowed(path: &Path, settings: &SourceSettings) -> Result<(), InputError> {
    let roots = &settings.allowed_roots;
    // `path` is without links, so the roots must be too.
    let holds = |root: &String| {
        path.starts_with(Path::new(root).canonicalize().unwrap_or_else(|_| PathBuf::from(root)))
    };
    if roots.is_empty() || roots.iter().any(holds) {
        return Ok(());
    }
    Err(InputError::NotAllowed { path: path.to_owned() })
}

/// Settings that were given in frames become seconds at the video's rate: only then is the video scanned here.
fn at_frame_rate(resolved: Resolved, path: &Path) -> Result<Resolved> {
    if !resolved.counts_frames() {
        return Ok(resolved);
    }
    let fps = scan(&Input::File(path.to_owned()))?.info.timeline.fps;
    Ok(resolved.with_fps(fps.to_f64())?)
}

fn model_records(models: &ModelsDir, settings: &Settings) -> Result<Vec<ModelRecord>> {
    let pipeline = &settings.pipeline;
    let mut records = vec![detector_svc::detector_record(models, &pipeline.detect)?];
    if pipeline.embed.enabled {
        records.push(embedder_svc::embedder_record(models, &pipeline.embed)?);
    }
    Ok(records)
}

/// Opens models of the user's own once: one that can't be used is found now and not when its stage begins. Those of the
/// catalog are known to open.
fn try_own_models(
    runtime: &Runtime,
    models: &ModelsDir,
    records: &[ModelRecord],
    pipeline: &PipelineSettings,
) -> Result<(), StageError> {
    let PipelineSettings { detect, embed, .. } = pipeline;
    if !detect.model_file.is_empty() {
        Detectors::new(runtime.clone(), models.clone()).take(detect, records)?;
    }
    if embed.enabled && !embed.model_file.is_empty() {
        Embedders::new(runtime.clone(), models.clone()).take(embed, records)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_file_name_becomes_the_episode() {
        assert_eq!(episode_of(Path::new("/v/SHOW S01E01.mp4")).unwrap().as_str(), "SHOW-S01E01");
        let error = episode_of(Path::new("¿¡.mp4")).unwrap_err();
        assert!(error.to_string().contains("--episode"), "{error:#}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }

    #[test]
    fn what_is_no_readable_file_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let error = readable_file(folder.path()).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        let error = anyhow::Error::from(readable_file(&folder.path().join("none.mp4")).unwrap_err());
        assert!(error.to_string().contains("check the path"), "{error}");
        assert_eq!(Exit::of(&error), Exit::Input);
    }

    #[test]
    fn allowed_roots_hold_for_the_command_line_too() {
        let roots = SourceSettings { allowed_roots: vec!["/videos".to_owned()], ..Default::default() };
        assert!(check_allowed(Path::new("/videos/a.mp4"), &roots).is_ok());
        assert!(check_allowed(Path::new("/videos-2/a.mp4"), &roots).is_err());
        assert!(check_allowed(Path::new("/any/a.mp4"), &SourceSettings::default()).is_ok());
    }
}
