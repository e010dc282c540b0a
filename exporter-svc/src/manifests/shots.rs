use facereel_domain::ids::EpisodeId;
use facereel_domain::shot::ShotStart;
use serde::{Deserialize, Serialize};

use super::{SCHEMA_VERSION, seconds};
use crate::assemble::Assembled;

/// A shot: a row of `shots.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShotRow {
    /// Version of the row.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Place in the episode, from 0.
    pub shot: u32,
    /// How it begins: `start`, `cut`, `fade`, `dissolve`.
    pub start: ShotStart,
    /// Number of its first frame.
    pub first_frame_idx: u64,
    /// Number of its last frame that was decoded.
    pub last_frame_idx: u64,
    /// Seconds of its first frame.
    pub first_ts: f64,
    /// Seconds of its last frame that was decoded.
    pub last_ts: f64,
    /// Analysed frames in it.
    pub analysed_frames: u64,
    /// Tracks in it.
    pub tracks: u64,
}

/// The shots in order of time.
#[must_use]
pub fn shot_rows(ep_id: &EpisodeId, assembled: &Assembled) -> Vec<ShotRow> {
    let timeline = assembled.tracks.video.timeline;
    let row = |shot: &facereel_domain::shot::Shot| ShotRow {
        schema_version: SCHEMA_VERSION,
        ep_id: ep_id.to_string(),
        shot: shot.index.0,
        start: shot.start,
        first_frame_idx: timeline.frame_idx(shot.first_pts),
        last_frame_idx: timeline.frame_idx(shot.last_pts),
        first_ts: seconds(timeline.seconds(shot.first_pts)),
        last_ts: seconds(timeline.seconds(shot.last_pts)),
        analysed_frames: assembled.tracks.frames.iter().filter(|f| f.shot == shot.index).count() as u64,
        tracks: assembled.finals.iter().filter(|t| t.shot == shot.index).count() as u64,
    };
    assembled.tracks.shots.iter().map(row).collect()
}
