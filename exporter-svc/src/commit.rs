//! The commit: `manifest.json` names every artifact with size, digest and row count; `current.json` points to it.

use bytes::Bytes;
use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{EpisodeLayout, ObjectKey, RunLayout};
use facereel_domain::settings::PipelineSettings;
use facereel_domain::source::SourceIdentity;
use facereel_messages::objects::{DetectionCounts, ModelRecord, RunRequest, VideoFacts};
use facereel_service::{StageContext, StageError};
use facereel_store::{PutOutcome, Store};
use serde::{Deserialize, Serialize};

use crate::manifests::SCHEMA_VERSION;

/// The commit of a run: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode and run.
    #[serde(flatten)]
    pub run: RunRef,
    /// What made it.
    pub program: Program,
    /// Identity of the video; where it lay is not part of it.
    pub source: SourceIdentity,
    /// What the video is.
    pub video: VideoFacts,
    /// The models that were used.
    pub models: Vec<ModelRecord>,
    /// The settings that determine artifacts.
    pub settings: PipelineSettings,
    /// What was found.
    pub counts: ManifestCounts,
    /// What people should know.
    pub warnings: Vec<String>,
    /// Every artifact, sorted by path.
    pub artifacts: Vec<Artifact>,
}

/// The pointer to an episode's committed run: `current.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrentRun {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode and run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Key of the run's commit.
    pub manifest: ObjectKey,
    /// Digest of the commit.
    pub manifest_sha256: Sha256Digest,
}

/// The program that made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// `facereel`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How much a run found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestCounts {
    /// Shots.
    pub shots: u64,
    /// Frames that were analysed.
    pub frames_analysed: u64,
    /// Detections.
    pub detections: u64,
    /// Tracks.
    pub tracks: u64,
    /// Faces chosen for embedding.
    pub faces: u64,
    /// Faces with a vector.
    pub embeddings: u64,
    /// Crops.
    pub crops: u64,
    /// Frames that could not be decoded.
    pub frames_broken: u64,
    /// Boxes that the detector gave and that were none.
    pub boxes_refused: u64,
}

/// A file of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Relative to the run's folder.
    pub path: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Digest of the content.
    pub sha256: Sha256Digest,
    /// Rows of a manifest or of vectors; null for other files.
    pub rows: Option<u64>,
}

impl Artifact {
    /// The artifact at `path` with this content.
    #[must_use]
    pub fn of(path: String, bytes: &[u8]) -> Self {
        Self { path, size_bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes), rows: None }
    }
}

impl Manifest {
    /// The manifest of a run whose artifacts are all written.
    pub(crate) fn new(
        request: RunRequest,
        video: VideoFacts,
        (counts, decoding): (ManifestCounts, DetectionCounts),
        mut artifacts: Vec<Artifact>,
    ) -> Self {
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            schema_version: SCHEMA_VERSION,
            run: request.run,
            program: Program { name: "facereel".to_owned(), version: request.program_version },
            source: request.source.identity,
            video,
            models: request.models,
            settings: request.pipeline,
            counts: ManifestCounts {
                frames_broken: decoding.frames_broken,
                boxes_refused: decoding.boxes_refused,
                ..counts
            },
            warnings: Vec::new(),
            artifacts,
        }
    }
}

/// Readable JSON with a newline at the end.
pub(crate) fn to_pretty_json<T: Serialize>(value: &T) -> Result<Bytes, StageError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| StageError::permanent("a result can't be written as JSON", e))?;
    text.push(b'\n');
    Ok(Bytes::from(text))
}

/// Writes the commit. A manifest that is there already must be the same: two workers may both have come this far.
pub(crate) async fn commit(manifest: &Manifest, context: &StageContext) -> Result<(), StageError> {
    let layout = RunLayout::new(&manifest.run);
    let bytes = to_pretty_json(manifest)?;
    let outcome = context.store.put_if_absent(&layout.manifest(), bytes.clone()).await?;
    if outcome == PutOutcome::Exists && context.store.get(&layout.manifest()).await? != bytes {
        return Err(StageError::refused(format!(
            "{} is there with other content: the same run gave other bytes on another machine or build; look at it, \
             then delete the run's folder and start again",
            layout.manifest()
        )));
    }
    Ok(())
}

/// What becomes of the intermediate objects of a committed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkObjects {
    /// They stay, to be looked at.
    Keep,
    /// They go.
    Delete,
}

/// What follows a commit: the pointer to it, links for people, and the end of the intermediate objects. May be repeated.
pub async fn after_commit(store: &dyn Store, run: &RunRef, work: WorkObjects) -> Result<(), StageError> {
    let layout = RunLayout::new(run);
    let manifest = store.get(&layout.manifest()).await?;
    let pointer = CurrentRun {
        schema_version: SCHEMA_VERSION,
        run: run.clone(),
        manifest: layout.manifest(),
        manifest_sha256: Sha256Digest::of(&manifest),
    };
    store.put(&EpisodeLayout::new(&run.ep_id).current(), to_pretty_json(&pointer)?).await?;
    store.show_committed(run).await?;
    if work == WorkObjects::Delete {
        store.delete_prefix(&layout.work_prefix()).await?;
    }
    Ok(())
}
