use facereel_domain::ids::{EpisodeId, TrackId};
use serde::{Deserialize, Serialize};

use super::{SCHEMA_VERSION, corners, score, seconds};
use crate::assemble::{Assembled, FinalTrack};
use crate::crops::CropPaths;

/// A track's crops: `frames/crops/track_0001/index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropIndex {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Track.
    pub track_id: u32,
    /// In order of time.
    pub crops: Vec<CropRow>,
}

/// A crop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropRow {
    /// Name of the face in the episode.
    pub face_id: String,
    /// Number of the frame.
    pub frame_idx: u64,
    /// Seconds.
    pub ts: f64,
    /// The face's box in the frame, not in the crop.
    pub bbox_xyxy: [f64; 4],
    /// The detector's score.
    pub conf: f64,
    /// Quality score, 0 to 1.
    pub quality: Option<f64>,
    /// The crop, relative to the run's folder.
    pub crop_rel_path: String,
    /// Frame pixel at the crop's upper left corner.
    pub origin_px: [u32; 2],
    /// Crop pixels per frame pixel.
    pub scale: f64,
}

/// The index of each track that has crops.
#[must_use]
pub fn crop_indices(
    ep_id: &EpisodeId,
    assembled: &Assembled,
    crops: &CropPaths,
) -> Vec<(TrackId, CropIndex)> {
    let index = |track: &FinalTrack| CropIndex {
        schema_version: SCHEMA_VERSION,
        ep_id: ep_id.to_string(),
        track_id: track.id.0,
        crops: crop_rows(assembled, track, crops),
    };
    let indices = assembled.finals.iter().map(|track| (track.id, index(track)));
    indices.filter(|(_, index)| !index.crops.is_empty()).collect()
}

fn crop_rows(assembled: &Assembled, track: &FinalTrack, crops: &CropPaths) -> Vec<CropRow> {
    let timeline = assembled.tracks.video.timeline;
    let row = |id: &facereel_domain::ids::FaceId| {
        let crop_rel_path = crops.get(id)?.clone();
        let (frame, face) = assembled.face(*id)?;
        let chip = face.detection.chip?;
        Some(CropRow {
            face_id: id.to_string(),
            frame_idx: id.frame_idx,
            ts: seconds(timeline.seconds(frame.pts)),
            bbox_xyxy: corners(&face.detection.bbox),
            conf: score(face.detection.confidence),
            quality: face.detection.quality.map(|q| score(q.score)),
            crop_rel_path,
            origin_px: chip.origin_px,
            scale: super::rounded(f64::from(chip.scale), 6),
        })
    };
    track.observations.iter().filter_map(row).collect()
}
