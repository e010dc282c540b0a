//! What a run is asked for, whoever does it: this process or the services of a cluster.
//!
//! The same video, settings and models give the same request here and there, and so the same `run_id`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use detector_svc::{Identity, Sources};
use exporter_svc::CurrentRun;
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_domain::layout::{EpisodeLayout, RunLayout};
use facereel_inference::catalog::{CatalogError, ModelsDir};
use facereel_messages::objects::{ModelRecord, RunRequest, Source, run_id};
use facereel_service::{ComputePool, objects};
use facereel_settings::{Resolved, canonical_text};
use facereel_store::Store;
use facereel_video_decode::scan;
use serde::Serialize;
use serde_json::json;

/// What all requests of a command have in common: settings and models.
pub(crate) struct Recipe {
    resolved: Arc<Resolved>,
    models: Vec<ModelRecord>,
}

/// A run that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What determines the artifacts.
    pub(crate) request: RunRequest,
    /// Settings, with frames counted at the video's rate; shared by all runs of a command.
    pub(crate) resolved: Arc<Resolved>,
}

impl Recipe {
    /// Takes the models' digests.
    pub(crate) fn new(resolved: Arc<Resolved>, models: &ModelsDir) -> Result<Self, CatalogError> {
        let pipeline = &resolved.settings.pipeline;
        let mut records = vec![detector_svc::detector_record(models, &pipeline.detect)?];
        if pipeline.embed.enabled {
            records.push(embedder_svc::embedder_record(models, &pipeline.embed)?);
        }
        Ok(Self { resolved, models: records })
    }

    /// The models.
    pub(crate) fn models(&self) -> &[ModelRecord] {
        &self.models
    }

    /// Looks at `video` (a path, `file:///…` or `s3://bucket/key`) and names its run.
    pub(crate) async fn ask(&self, sources: &Sources, video: &str, ep_id: EpisodeId) -> Result<Asked> {
        let whole = self.resolved.settings.runtime.source.whole_digest;
        let extent = if whole { Identity::Whole } else { Identity::Sampled };
        let source = sources.describe(video, extent).await?;
        let resolved = self.at_frame_rate(sources, &source).await?;
        let pipeline = resolved.settings.pipeline.clone();
        let program_version = env!("CARGO_PKG_VERSION").to_owned();
        let run_id = run_id(&source.identity, &canonical_text(&pipeline)?, &self.models, &program_version);
        let run = RunRef { ep_id, run_id };
        let models = self.models.clone();
        Ok(Asked { request: RunRequest { run, source, pipeline, models, program_version }, resolved })
    }

    /// Settings that were given in frames become seconds at the video's rate: only then is the video scanned here.
    async fn at_frame_rate(&self, sources: &Sources, source: &Source) -> Result<Arc<Resolved>> {
        if !self.resolved.counts_frames() {
            return Ok(Arc::clone(&self.resolved));
        }
        let input = sources.open(source).await?;
        // A thread of its own: those of the runtime may be needed to look up the server that the video comes from.
        let pool = ComputePool::new("scan", 1).context("threads can't be started")?;
        let fps = pool.run(move || scan(&input)).await??.info.timeline.fps;
        Ok(Arc::new(self.resolved.with_fps(fps.to_f64())?))
    }
}

impl Asked {
    /// Leaves what workers and people need to know of the run, and takes back what ended it before. Written again when
    /// a run continues: the video may have moved.
    pub(crate) async fn write(&self, store: &dyn Store) -> Result<()> {
        let layout = RunLayout::new(&self.request.run);
        store.delete(&layout.error()).await?;
        store.delete(&layout.cancelled()).await?;
        let settings = json!({ "schema_version": 1, "settings": self.resolved.report()? });
        store.put(&layout.settings(), pretty(&settings)?).await?;
        objects::write(store, &layout.request(), &self.request).await?;
        Ok(())
    }
}

/// The episode that a video's name stands for: the last part of its path without the ending, with '-' for every
/// character that an id can't have.
pub(crate) fn episode_of(video: &str) -> Result<EpisodeId> {
    let name = video.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
    EpisodeId::sanitized(&stem)
        .ok_or_else(|| stem.parse::<EpisodeId>().err())
        .map_err(|bad| match bad {
            Some(error) => anyhow::Error::from(error),
            None => anyhow::anyhow!("'{stem}' is no episode id"),
        })
        .with_context(|| {
            format!("the name of {video} gives no episode id: add --episode ID (in a list: a tab and the id)")
        })
}

/// Deletes what the run left. The pointer goes first, so that no reader is sent to a run that is being deleted.
pub(crate) async fn forget(store: &dyn Store, run: &RunRef) -> Result<()> {
    let current = EpisodeLayout::new(&run.ep_id).current();
    if store.head(&current).await?.is_some() {
        let bytes = store.get(&current).await?;
        let pointer: Option<CurrentRun> = serde_json::from_slice(&bytes).ok();
        // A pointer that can't be read leads nowhere, and would be in the way of the new one.
        if pointer.is_none_or(|pointer| pointer.run == *run) {
            store.delete(&current).await?;
        }
    }
    store.delete_prefix(RunLayout::new(run).prefix()).await?;
    Ok(())
}

/// Readable JSON with a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> Result<Bytes> {
    Ok(Bytes::from(serde_json::to_string_pretty(value)? + "\n"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::exit::Exit;
    use facereel_domain::digest::Sha256Digest;
    use facereel_domain::source::SourceIdentity;
    use facereel_settings::Loader;
    use facereel_store::MemoryStore;

    /// A run of episode `ep_id` of a video that is nowhere.
    pub(crate) fn asked(ep_id: &str) -> Asked {
        let run = RunRef { ep_id: ep_id.parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
        let resolved = Arc::new(Loader::new().load().unwrap());
        let sampled_sha256 = Sha256Digest::of(ep_id.as_bytes());
        let identity = SourceIdentity { size_bytes: 1_000, sampled_sha256, whole_sha256: None };
        let source = Source { url: format!("file:///videos/{ep_id}.mp4"), identity, etag: None };
        let pipeline = resolved.settings.pipeline.clone();
        let program_version = env!("CARGO_PKG_VERSION").to_owned();
        Asked { request: RunRequest { run, source, pipeline, models: Vec::new(), program_version }, resolved }
    }

    #[test]
    fn a_videos_name_becomes_the_episode() {
        for (video, id) in [
            ("/v/SHOW S01E01.mp4", "SHOW-S01E01"),
            ("s3://films/season 1/SHOW.S01E02.mkv", "SHOW.S01E02"),
            ("file:///v/a.b.mp4", "a.b"),
        ] {
            assert_eq!(episode_of(video).unwrap().as_str(), id);
        }
        let error = episode_of("¿¡.mp4").unwrap_err();
        assert!(error.to_string().contains("--episode"), "{error:#}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }

    #[tokio::test]
    async fn forgetting_a_run_takes_its_pointer_along_and_leaves_other_runs() {
        let store = MemoryStore::default();
        let asked = asked("EP");
        asked.write(&store).await.unwrap();
        let mut other = asked.clone();
        other.request.run.run_id = "fedcba9876543210".parse().unwrap();
        other.write(&store).await.unwrap();
        let current = EpisodeLayout::new(&asked.request.run.ep_id).current();
        store.put(&current, Bytes::from_static(b"no pointer")).await.unwrap();
        forget(&store, &asked.request.run).await.unwrap();
        assert!(store.head(&current).await.unwrap().is_none());
        assert!(store.head(&RunLayout::new(&asked.request.run).request()).await.unwrap().is_none());
        assert!(store.head(&RunLayout::new(&other.request.run).request()).await.unwrap().is_some());
    }
}
