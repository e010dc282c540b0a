use std::collections::BTreeMap;

use facereel_domain::embedding::Embedding;
use facereel_domain::ids::{EpisodeId, FaceId};
use facereel_messages::objects::FacePurpose;
use serde::{Deserialize, Serialize};

use super::{QualityRow, SCHEMA_VERSION, corners, points, score, seconds};
use crate::assemble::{Assembled, ChosenFace, FinalTrack};
use crate::crops::CropPaths;

/// A face that was chosen for embedding: a row of `faces.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceRow {
    /// Version of the row.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Name of the face in the episode.
    pub face_id: String,
    /// Its track.
    pub track_id: u32,
    /// Number of the frame in the source.
    pub frame_idx: u64,
    /// Seconds from the first frame.
    pub ts: f64,
    /// `[x0, y0, x1, y1]`.
    pub bbox_xyxy: [f64; 4],
    /// Left eye, right eye, nose, left mouth corner, right mouth corner, as the image shows them.
    pub landmarks: [[f64; 2]; 5],
    /// The detector's score, 0 to 1.
    pub conf: f64,
    /// How well it can be seen.
    pub quality: QualityRow,
    /// Why it was chosen: `sample`, `gate`, `sample_and_gate`.
    pub purpose: FacePurpose,
    /// Name of the model that its vector is from; null where it has none.
    pub embedding_model: Option<String>,
    /// Its row in `faces.npy`, from 0; null where it has none.
    pub embedding_row: Option<u64>,
    /// Similarity to the track's prototype when the appearance gate looked at it.
    pub gate_similarity: Option<f64>,
    /// The quality gate that refused it, or null.
    pub skip: Option<String>,
    /// The values that the gates looked at, where one refused it.
    pub skip_data: Option<BTreeMap<String, f64>>,
    /// Its crop, relative to the run's folder; null where it was not exported.
    pub crop_rel_path: Option<String>,
}

/// The chosen faces by track, in a track in order of time, and their vectors in the order of `embedding_row`.
#[must_use]
pub fn face_rows<'a>(
    ep_id: &EpisodeId,
    assembled: &'a Assembled,
    crops: &CropPaths,
    model: &str,
) -> (Vec<FaceRow>, Vec<&'a [f32]>) {
    let mut rows = Vec::new();
    let mut vectors = Vec::new();
    for track in &assembled.finals {
        for face in &track.chosen {
            let vector = face.embedded.outcome.as_ref().ok().map(Embedding::as_slice);
            let row = vector.map(|_| vectors.len() as u64);
            vectors.extend(vector);
            rows.extend(face_row(ep_id, (assembled, track, face), crops, (model, row)));
        }
    }
    (rows, vectors)
}

fn face_row(
    ep_id: &EpisodeId,
    (assembled, track, face): (&Assembled, &FinalTrack, &ChosenFace),
    crops: &CropPaths,
    (model, row): (&str, Option<u64>),
) -> Option<FaceRow> {
    let id: FaceId = face.chosen.face;
    let (_, seen) = assembled.face(id)?;
    let refused = face.embedded.outcome.as_ref().err();
    Some(FaceRow {
        schema_version: SCHEMA_VERSION,
        ep_id: ep_id.to_string(),
        face_id: id.to_string(),
        track_id: track.id.0,
        frame_idx: id.frame_idx,
        ts: seconds(face.chosen.ts),
        bbox_xyxy: corners(&seen.detection.bbox),
        landmarks: points(&face.chosen.landmarks),
        conf: score(face.chosen.confidence),
        quality: face.chosen.quality.into(),
        purpose: face.chosen.purpose,
        embedding_model: row.map(|_| model.to_owned()),
        embedding_row: row,
        gate_similarity: face.embedded.gate_similarity.map(score),
        skip: refused.cloned(),
        skip_data: refused.map(|_| gate_values(face)),
        crop_rel_path: crops.get(&id).cloned(),
    })
}

fn gate_values(face: &ChosenFace) -> BTreeMap<String, f64> {
    let quality = face.chosen.quality;
    [
        ("short_side_px", face.chosen.short_side_px),
        ("confidence", face.chosen.confidence),
        ("yaw_deg", quality.yaw_deg),
        ("sharpness", quality.sharpness),
        ("score", quality.score),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), score(value)))
    .collect()
}
