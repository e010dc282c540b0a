//! The records of an erasure: what it takes, and that it took it.

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::{RunRef, TrackId};
use facereel_domain::layout::{ObjectKey, RunLayout};
use serde::{Deserialize, Serialize};

use super::Scope;
use crate::commit::{Artifact, ManifestCounts};
use crate::manifests::SCHEMA_VERSION;

/// What an erasure takes and what it leaves: `erasures/0001-begun.json`. It holds no picture, no vector, no box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureRecord {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode and run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Place among the run's erasures, from 1.
    pub number: u32,
    /// Digest of the run's `manifest.json`.
    pub manifest_sha256: Sha256Digest,
    /// Whose faces; null: everybody's.
    pub tracks: Option<Vec<TrackId>>,
    /// Why, in the words of whoever asked for it.
    pub reason: Option<String>,
    /// When it was begun, seconds since 1970.
    pub begun_unix_sec: u64,
    /// Artifacts that go, by path.
    pub removed: Vec<String>,
    /// Artifacts that are written anew, as they are afterwards.
    pub replaced: Vec<Artifact>,
    /// Vectors that become zeros.
    pub zeroed_rows: ZeroedRows,
    /// What the run has afterwards.
    pub counts: ManifestCounts,
}

/// Rows of the files of vectors, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroedRows {
    /// Rows of `embeds/faces.npy`.
    pub faces: Vec<u64>,
    /// Rows of `embeds/tracks.npy`.
    pub tracks: Vec<u64>,
}

/// That an erasure took all it was to take: `erasures/0001-done.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureDone {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode and run.
    #[serde(flatten)]
    pub run: RunRef,
    /// Which erasure.
    pub number: u32,
    /// Digest of the file that says what it took.
    pub begun_sha256: Sha256Digest,
    /// When all of it was gone, seconds since 1970.
    pub done_unix_sec: u64,
}

/// An erasure as its records tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What it takes.
    pub record: ErasureRecord,
    /// That it did; absent where it was begun and not finished.
    pub done: Option<ErasureDone>,
}

impl ErasureRecord {
    /// What it is about.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match &self.tracks {
            None => Scope::Run,
            Some(tracks) => Scope::Tracks(tracks.iter().copied().collect()),
        }
    }

    pub(super) fn begun_key(&self) -> ObjectKey {
        RunLayout::new(&self.run).erasure_begun(self.number)
    }

    pub(super) fn done_key(&self) -> ObjectKey {
        RunLayout::new(&self.run).erasure_done(self.number)
    }
}

impl ErasureDone {
    /// The end of the erasure whose record has these bytes.
    pub(super) fn of(record: &ErasureRecord, begun: &[u8], done_unix_sec: u64) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            run: record.run.clone(),
            number: record.number,
            begun_sha256: Sha256Digest::of(begun),
            done_unix_sec,
        }
    }
}
