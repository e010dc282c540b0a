use facereel_domain::ids::{EpisodeId, FaceId};
use facereel_messages::objects::SplitReason;
use serde::{Deserialize, Serialize};

use super::{SCHEMA_VERSION, corners, score, seconds};
use crate::assemble::{Assembled, FinalTrack};
use crate::crops::CropPaths;

/// A track: a row of `tracks.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackRow {
    /// Version of the row.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Number from 1 in order of first appearance.
    pub track_id: u32,
    /// Its shot, from 0.
    pub shot: u32,
    /// Number of its first frame.
    pub first_frame_idx: u64,
    /// Number of its last frame.
    pub last_frame_idx: u64,
    /// Seconds of its first frame.
    pub first_ts: f64,
    /// Seconds of its last frame.
    pub last_ts: f64,
    /// Analysed frames in which it was seen.
    pub frame_count: u64,
    /// Mean of the detector's scores.
    pub conf_mean: f64,
    /// Mean of the measured faces' quality scores.
    pub quality_mean: f64,
    /// Boxes of its sampled faces (where nothing was to be embedded: of its crops), in order of time.
    pub bboxes_sampled: Vec<SampledBox>,
    /// Exported crops.
    pub crop_count: u64,
    /// Its row in `tracks.npy`, from 0; null where no face of it has a vector.
    pub embedding_row: Option<u64>,
    /// Name of the model that its vector is from.
    pub embedding_model: Option<String>,
    /// Mean similarity of its faces to its vector.
    pub cohesion: Option<f64>,
    /// It begins where the appearance gate split a longer one, for this reason.
    pub split_from: Option<SplitReason>,
    /// Its faces were erased: number and shot are all that is left. Written only where it is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl TrackRow {
    /// What is left of the row once the track's faces are erased: its place among the others.
    #[must_use]
    pub fn tombstone(self) -> Self {
        Self {
            schema_version: self.schema_version,
            ep_id: self.ep_id,
            track_id: self.track_id,
            shot: self.shot,
            first_frame_idx: 0,
            last_frame_idx: 0,
            first_ts: 0.0,
            last_ts: 0.0,
            frame_count: 0,
            conf_mean: 0.0,
            quality_mean: 0.0,
            bboxes_sampled: Vec::new(),
            crop_count: 0,
            embedding_row: None,
            embedding_model: None,
            cohesion: None,
            split_from: None,
            erased: true,
        }
    }
}

/// A face of a track that was looked at closer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampledBox {
    /// Number of the frame.
    pub frame_idx: u64,
    /// Seconds.
    pub ts: f64,
    /// `[x0, y0, x1, y1]`.
    pub bbox_xyxy: [f64; 4],
}

/// The tracks by number, and their vectors in the order of `embedding_row`.
#[must_use]
pub fn track_rows<'a>(
    ep_id: &EpisodeId,
    assembled: &'a Assembled,
    crops: &CropPaths,
    model: &str,
) -> (Vec<TrackRow>, Vec<&'a [f32]>) {
    let mut vectors = Vec::new();
    let rows = assembled
        .finals
        .iter()
        .map(|track| {
            let row = track.prototype.as_ref().map(|prototype| {
                vectors.push(prototype.embedding.as_slice());
                vectors.len() as u64 - 1
            });
            track_row(ep_id, (assembled, track), crops, (model, row))
        })
        .collect();
    (rows, vectors)
}

fn track_row(
    ep_id: &EpisodeId,
    (assembled, track): (&Assembled, &FinalTrack),
    crops: &CropPaths,
    (model, row): (&str, Option<u64>),
) -> TrackRow {
    let timeline = assembled.tracks.video.timeline;
    let seen: Vec<_> = track.observations.iter().filter_map(|id| assembled.face(*id)).collect();
    let ts_of = |at: Option<&(&facereel_messages::objects::FrameFaces, _)>| {
        at.map_or(0.0, |(frame, _)| seconds(timeline.seconds(frame.pts)))
    };
    let cropped: Vec<FaceId> =
        track.observations.iter().filter(|id| crops.contains_key(id)).copied().collect();
    let sampled: Vec<FaceId> = if track.chosen.is_empty() {
        cropped.clone()
    } else {
        track.chosen.iter().map(|f| f.chosen.face).collect()
    };
    TrackRow {
        schema_version: SCHEMA_VERSION,
        ep_id: ep_id.to_string(),
        track_id: track.id.0,
        shot: track.shot.0,
        first_frame_idx: track.observations.first().map_or(0, |id| id.frame_idx),
        last_frame_idx: track.observations.last().map_or(0, |id| id.frame_idx),
        first_ts: ts_of(seen.first()),
        last_ts: ts_of(seen.last()),
        frame_count: track.observations.len() as u64,
        conf_mean: mean(seen.iter().map(|(_, face)| face.detection.confidence)),
        quality_mean: mean(seen.iter().filter_map(|(_, face)| Some(face.detection.quality?.score))),
        bboxes_sampled: sampled.iter().filter_map(|id| sampled_box(assembled, *id)).collect(),
        crop_count: cropped.len() as u64,
        embedding_row: row,
        embedding_model: row.map(|_| model.to_owned()),
        cohesion: track.prototype.as_ref().map(|prototype| score(prototype.cohesion)),
        split_from: track.split_from.map(|split| split.reason),
        erased: false,
    }
}

fn sampled_box(assembled: &Assembled, id: FaceId) -> Option<SampledBox> {
    let (frame, face) = assembled.face(id)?;
    Some(SampledBox {
        frame_idx: id.frame_idx,
        ts: seconds(assembled.tracks.video.timeline.seconds(frame.pts)),
        bbox_xyxy: corners(&face.detection.bbox),
    })
}

/// Mean of scores, rounded; 0 of none.
fn mean(values: impl Iterator<Item = f32>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, n), v| (sum + f64::from(v), n + 1));
    super::rounded(sum / f64::from(count.max(1)), 4)
}
