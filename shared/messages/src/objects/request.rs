//! What a run is asked for: its source, settings and models.

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::RunRef;
use facereel_domain::settings::PipelineSettings;
use facereel_domain::source::SourceIdentity;
use serde::{Deserialize, Serialize};

use super::MIB;
use crate::Format;

/// Everything that determines a run's artifacts; written before the first job, read by every worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The run.
    pub run: RunRef,
    /// The video.
    pub source: Source,
    /// Settings that determine artifacts.
    pub pipeline: PipelineSettings,
    /// Models, by role.
    pub models: Vec<ModelRecord>,
    /// Version of the program that made the request.
    pub program_version: String,
}

/// Where a video is and what it was when the run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `file:///…` or `s3://bucket/key`; not part of the identity, so that a moved file is the same source.
    pub url: String,
    /// Size and digest.
    pub identity: SourceIdentity,
    /// The ETag that an object had when its digest was taken: reads insist on it. Files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// A model that a run uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecord {
    /// [`ModelRecord::DETECTOR`] or [`ModelRecord::EMBEDDER`].
    pub role: String,
    /// Its name in the catalog, or the file name of a model of the user's own.
    pub name: String,
    /// Digest of the file that is run.
    pub sha256: Sha256Digest,
    /// SPDX expression of its licence, or `unknown` for a model of the user's own.
    pub licence: String,
}

impl ModelRecord {
    /// The role of the model that finds faces.
    pub const DETECTOR: &str = "detector";
    /// The role of the model that makes vectors.
    pub const EMBEDDER: &str = "embedder";
}

impl Format for RunRequest {
    const NAME: &'static str = "facereel.run-request";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = MIB;
}
