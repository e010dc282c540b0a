//! `faces.jsonl` against `detections.jsonl`.

use std::collections::BTreeSet;

use super::Contents;
use super::detections::{Detections, SeenFace};
use super::problems::Problems;
use super::vectors::Vectors;
use crate::erase::Extent;
use crate::manifests::FaceRow;

pub(super) const PATH: &str = "manifests/faces.jsonl";

/// Faces with a vector.
pub(super) fn embedded(faces: &[FaceRow]) -> u64 {
    faces.iter().filter(|face| face.embedding_row.is_some()).count() as u64
}

/// Every face is a detection, listed once, and has either a vector or a reason for having none.
pub(super) fn check((contents, extent): (&Contents, &Extent), problems: &mut Problems) {
    let Some(faces) = &contents.faces else { return };
    let mut names = BTreeSet::new();
    let mut vectors = Vectors::of(extent);
    let mut before = (0, 0);
    for (line, face) in (1..).zip(faces) {
        if !names.insert(face.face_id.as_str()) {
            problems.at_line(PATH, line, format!("face_id '{}' is there twice", face.face_id));
        }
        let place = (face.track_id, face.frame_idx);
        if place < before {
            problems.at_line(PATH, line, "the rows are not in order of track and frame");
        }
        before = place;
        for what in wrong_outcome(face, &mut vectors) {
            problems.at_line(PATH, line, what);
        }
        if let Some(detections) = &contents.detections {
            for what in wrong_detection(face, detections) {
                problems.at_line(PATH, line, what);
            }
        }
    }
}

fn wrong_outcome(face: &FaceRow, vectors: &mut Vectors) -> Vec<String> {
    let mut wrong = Vec::new();
    match (face.embedding_row, face.skip.as_deref()) {
        (Some(_), Some(gate)) => {
            wrong.push(format!("it has a vector and was refused by the gate '{gate}'"));
        }
        (None, None) => wrong.push("it has neither a vector nor a gate that refused it".to_owned()),
        _ => {}
    }
    wrong.extend(face.embedding_row.and_then(|row| vectors.wrong_place(row)));
    if face.embedding_model.is_some() != face.embedding_row.is_some() {
        wrong.push("only one of embedding_row and embedding_model is set".to_owned());
    }
    if face.skip_data.is_some() != face.skip.is_some() {
        wrong.push("only one of skip and skip_data is set".to_owned());
    }
    wrong
}

fn wrong_detection(face: &FaceRow, detections: &Detections) -> Vec<String> {
    let name = &face.face_id;
    let Some(seen) = detections.face(name) else {
        return vec![format!("face_id '{name}' is not in detections.jsonl")];
    };
    let mut wrong = Vec::new();
    let row = (face.frame_idx, face.ts, face.bbox_xyxy);
    if !is_same_sight(row, seen) {
        wrong.push(format!("face '{name}' has another frame, time or box than in detections.jsonl"));
    }
    if seen.track_id != Some(face.track_id) {
        let found = seen.track_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        wrong.push(format!("face '{name}' is in track {}, in detections.jsonl {found}", face.track_id));
    }
    wrong
}

/// Whether frame, time and box are those of the detection, to the last digit: all files round in the same way.
pub(super) fn is_same_sight((frame_idx, ts, bbox): (u64, f64, [f64; 4]), seen: &SeenFace) -> bool {
    frame_idx == seen.frame_idx
        && ts.to_bits() == seen.ts.to_bits()
        && bbox.map(f64::to_bits) == seen.bbox_xyxy.map(f64::to_bits)
}
