//! Names of stored objects: every key that the project writes is spelled here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{BatchIndex, EpisodeId, RunRef, SegmentIndex, TrackId};

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no object key: parts between '/' are letters, digits, '.', '_', '-', never empty and never only dots"
)]
pub struct KeyError(String);

/// The name of a stored object, relative to the store's root: parts of `[A-Za-z0-9._-]` joined by `/`.
///
/// No part is empty, `.` or `..`, so that a key is a safe relative path too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Longest key in bytes.
    pub const MAX_LEN: usize = 900;

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let good_part = |part: &str| {
            !part.is_empty()
                && !part.chars().all(|c| c == '.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        };
        if text.len() <= Self::MAX_LEN && text.split('/').all(good_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyError(text.chars().take(200).collect()))
        }
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of all episodes.
pub const EPISODES: &str = "episodes";

/// How fast the last backfill was, for the estimate of the next: volatile, not an artifact.
#[must_use]
pub fn pace_key() -> ObjectKey {
    ObjectKey("operations/pace.json".to_owned())
}

/// Keys of one episode.
#[derive(Debug, Clone)]
pub struct EpisodeLayout(String);

impl EpisodeLayout {
    /// The layout of `ep_id`.
    #[must_use]
    pub fn new(ep_id: &EpisodeId) -> Self {
        Self(format!("{EPISODES}/{ep_id}"))
    }

    /// Everything of the episode.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// The pointer to the committed run.
    #[must_use]
    pub fn current(&self) -> ObjectKey {
        ObjectKey(format!("{}/current.json", self.0))
    }

    /// All runs, each in a folder named by its id.
    #[must_use]
    pub fn runs_prefix(&self) -> String {
        format!("{}/runs", self.0)
    }
}

/// Keys of one run.
#[derive(Debug, Clone)]
pub struct RunLayout(String);

macro_rules! run_keys {
    ($($(#[$doc:meta])* $name:ident => $path:literal;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(&self) -> ObjectKey { self.key($path) })*
    };
}

impl RunLayout {
    /// The layout of `run`.
    #[must_use]
    pub fn new(run: &RunRef) -> Self {
        Self(format!("{}/runs/{}", EpisodeLayout::new(&run.ep_id).0, run.run_id))
    }

    /// Everything of the run.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// The path of one of the run's keys below the run.
    #[must_use]
    pub fn relative(&self, key: &ObjectKey) -> String {
        let below = key.0.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(&key.0).to_owned()
    }

    /// A key below the run from a path that is known to be good.
    fn key(&self, path: &str) -> ObjectKey {
        let key = format!("{}/{path}", self.0);
        debug_assert!(key.parse::<ObjectKey>().is_ok(), "{key}");
        ObjectKey(key)
    }

    run_keys! {
        /// The commit: every artifact's key, size, digest and row count.
        manifest => "manifest.json";
        /// The resolved settings with the source of each value.
        settings => "settings.json";
        /// The run's request: source, settings, models; what every worker reads first.
        request => "request.mpk";
        /// Times, host, throughput: volatile, not an artifact.
        run_stats => "run_stats.json";
        /// Where the run is: volatile, not an artifact.
        progress => "progress.json";
        /// Why the run ended without a commit.
        error => "error.json";
        /// When and on which lane the run was handed to the queues: volatile, not an artifact.
        submission => "submission.json";
        /// That nobody wants the run any more: workers drop its jobs.
        cancelled => "cancelled.json";
        /// Every detection.
        detections_jsonl => "manifests/detections.jsonl";
        /// Every track.
        tracks_jsonl => "manifests/tracks.jsonl";
        /// Every face chosen for embedding.
        faces_jsonl => "manifests/faces.jsonl";
        /// Every shot.
        shots_jsonl => "manifests/shots.jsonl";
        /// Metrics and guardrail warnings.
        track_metrics => "manifests/track_metrics.json";
        /// Face vectors, rows as in faces.jsonl.
        faces_npy => "embeds/faces.npy";
        /// Track vectors, rows as in tracks.jsonl.
        tracks_npy => "embeds/tracks.npy";
        /// The plan.
        plan => "work/plan.mpk";
        /// Shots, tracks and chosen faces.
        tracks => "work/tracks.mpk";
    }

    /// The records of erasures.
    #[must_use]
    pub fn erasures_prefix(&self) -> String {
        format!("{}/erasures", self.0)
    }

    /// What an erasure takes: written before anything is taken. Counted from 1.
    #[must_use]
    pub fn erasure_begun(&self, number: u32) -> ObjectKey {
        self.key(&format!("erasures/{number:04}-begun.json"))
    }

    /// That the erasure took all of it.
    #[must_use]
    pub fn erasure_done(&self, number: u32) -> ObjectKey {
        self.key(&format!("erasures/{number:04}-done.json"))
    }

    /// Intermediate objects, deleted after the commit.
    #[must_use]
    pub fn work_prefix(&self) -> String {
        format!("{}/work", self.0)
    }

    /// All detection parts.
    #[must_use]
    pub fn detection_parts_prefix(&self) -> String {
        format!("{}/work/detections", self.0)
    }

    /// A segment's detections.
    #[must_use]
    pub fn detections_part(&self, segment: SegmentIndex) -> ObjectKey {
        self.key(&format!("work/detections/{segment:05}.mpk"))
    }

    /// A segment's chips, one JPEG after another.
    #[must_use]
    pub fn chip_pack(&self, segment: SegmentIndex) -> ObjectKey {
        self.key(&format!("work/chips/{segment:05}.pack"))
    }

    /// All batches of faces to embed.
    #[must_use]
    pub fn embed_batches_prefix(&self) -> String {
        format!("{}/work/batches", self.0)
    }

    /// A batch of faces to embed.
    #[must_use]
    pub fn embed_batch(&self, batch: BatchIndex) -> ObjectKey {
        self.key(&format!("work/batches/{batch:05}.mpk"))
    }

    /// All embedding parts.
    #[must_use]
    pub fn embedding_parts_prefix(&self) -> String {
        format!("{}/work/embeddings", self.0)
    }

    /// A batch's embeddings.
    #[must_use]
    pub fn embeddings_part(&self, batch: BatchIndex) -> ObjectKey {
        self.key(&format!("work/embeddings/{batch:05}.mpk"))
    }

    /// The file of the run at this path below it, if that can be one.
    #[must_use]
    pub fn artifact(&self, path: &str) -> Option<ObjectKey> {
        format!("{}/{path}", self.0).parse().ok()
    }

    /// All rows.
    #[must_use]
    pub fn manifests_prefix(&self) -> String {
        format!("{}/manifests", self.0)
    }

    /// All crops.
    #[must_use]
    pub fn frames_prefix(&self) -> String {
        format!("{}/frames", self.0)
    }

    /// All vectors.
    #[must_use]
    pub fn embeds_prefix(&self) -> String {
        format!("{}/embeds", self.0)
    }

    /// All crops of a track, and their index.
    #[must_use]
    pub fn crops_prefix(&self, track: TrackId) -> String {
        format!("{}/frames/crops/track_{track:04}", self.0)
    }

    /// A crop, and its path below the run (`crop_rel_path`).
    #[must_use]
    pub fn crop(&self, track: TrackId, frame_idx: u64) -> (ObjectKey, String) {
        let path = format!("frames/crops/track_{track:04}/frame_{frame_idx:06}.jpg");
        (self.key(&path), path)
    }

    /// The index of a track's crops.
    #[must_use]
    pub fn crop_index(&self, track: TrackId) -> ObjectKey {
        self.key(&format!("frames/crops/track_{track:04}/index.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_leave_the_store_are_refused() {
        for bad in ["", "/", "a//b", "../a", "a/../b", "a/.", "/a", "a/", "a b", "a\\b", "a/...", "é"] {
            assert!(bad.parse::<ObjectKey>().is_err(), "{bad:?} was accepted");
        }
        assert!("episodes/TEST-S01E01/current.json".parse::<ObjectKey>().is_ok());
    }

    #[test]
    fn crops_lie_where_readers_of_the_layout_expect_them() {
        let run =
            RunRef { ep_id: "TEST-S01E01".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
        let (key, path) = RunLayout::new(&run).crop(TrackId(1), 123);
        assert_eq!(path, "frames/crops/track_0001/frame_000123.jpg");
        assert_eq!(key.as_str(), format!("episodes/TEST-S01E01/runs/0123456789abcdef/{path}"));
    }
}
