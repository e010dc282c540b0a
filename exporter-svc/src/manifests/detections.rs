use facereel_domain::ids::{EpisodeId, FaceId};
use serde::{Deserialize, Serialize};

use super::{QualityRow, SCHEMA_VERSION, corners, points, score, seconds};
use crate::assemble::Assembled;

/// A detected face, tracked or not: a row of `detections.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionRow {
    /// Version of the row.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Number of the frame in the source.
    pub frame_idx: u64,
    /// Seconds from the first frame.
    pub ts: f64,
    /// Shot, from 0.
    pub shot: u32,
    /// Name of the face in the episode.
    pub face_id: String,
    /// `[x0, y0, x1, y1]`.
    pub bbox_xyxy: [f64; 4],
    /// Left eye, right eye, nose, left mouth corner, right mouth corner, as the image shows them.
    pub landmarks: [[f64; 2]; 5],
    /// The detector's score, 0 to 1.
    pub conf: f64,
    /// How well it can be seen; null where it was not looked at closer.
    pub quality: Option<QualityRow>,
    /// The frame did not differ from the last analysed one, whose detection this is.
    pub reused: bool,
    /// Its track, or null.
    pub track_id: Option<u32>,
    /// Why it has no track, or null.
    pub untracked: Option<String>,
}

/// All detections in order of time, in a frame the surest first.
#[must_use]
pub fn detection_rows(ep_id: &EpisodeId, assembled: &Assembled) -> Vec<DetectionRow> {
    let timeline = assembled.tracks.video.timeline;
    let mut rows = Vec::new();
    for frame in &assembled.tracks.frames {
        for (ordinal, face) in frame.faces.iter().enumerate() {
            let detection = &face.detection;
            let id = FaceId { frame_idx: frame.frame_idx, ordinal: ordinal as u32 };
            rows.push(DetectionRow {
                schema_version: SCHEMA_VERSION,
                ep_id: ep_id.to_string(),
                frame_idx: frame.frame_idx,
                ts: seconds(timeline.seconds(frame.pts)),
                shot: frame.shot.0,
                face_id: id.to_string(),
                bbox_xyxy: corners(&detection.bbox),
                landmarks: points(&detection.landmarks),
                conf: score(detection.confidence),
                quality: detection.quality.map(QualityRow::from),
                reused: frame.reused,
                track_id: face.fate.ok().map(|place| assembled.finals[place as usize].id.0),
                untracked: face.fate.err().map(|reason| reason.as_str().to_owned()),
            });
        }
    }
    rows
}
