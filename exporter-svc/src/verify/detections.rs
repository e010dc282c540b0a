//! `detections.jsonl`: in order, inside of the frame, and what it says about tracks.

use std::collections::BTreeMap;

use facereel_domain::geometry::Size;
use facereel_domain::ids::FaceId;
use facereel_messages::objects::Untracked;

use super::problems::Problems;
use crate::manifests::DetectionRow;

pub(super) const PATH: &str = "manifests/detections.jsonl";

/// What other files are compared with.
pub(super) struct Detections {
    faces: BTreeMap<String, SeenFace>,
    /// By number.
    pub(super) tracks: BTreeMap<u32, TrackSight>,
    rows: usize,
}

/// A detection.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenFace {
    pub(super) frame_idx: u64,
    pub(super) ts: f64,
    pub(super) shot: u32,
    pub(super) bbox_xyxy: [f64; 4],
    pub(super) track_id: Option<u32>,
}

/// A track as the detections show it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrackSight {
    /// Frame number and seconds.
    pub(super) first: (u64, f64),
    /// Frame number and seconds.
    pub(super) last: (u64, f64),
    pub(super) frame_count: u64,
    pub(super) shot: u32,
}

impl Detections {
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn face(&self, face_id: &str) -> Option<&SeenFace> {
        self.faces.get(face_id)
    }

    pub(super) fn faces(&self) -> impl Iterator<Item = &SeenFace> {
        self.faces.values()
    }
}

/// How the faces of a frame are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    /// From 0, each one more than the one before.
    Gapless,
    /// The same, but some of them were erased.
    WithGaps,
}

/// Checks the rows by themselves and indexes them.
pub(super) fn index(
    rows: &[DetectionRow],
    (frame, numbering): (Size, Numbering),
    problems: &mut Problems,
) -> Detections {
    let mut detections = Detections { faces: BTreeMap::new(), tracks: BTreeMap::new(), rows: rows.len() };
    let mut expected = FaceId { frame_idx: 0, ordinal: 0 };
    for (line, row) in (1..).zip(rows) {
        if row.frame_idx < expected.frame_idx {
            let what = format!("frame {} comes after frame {}", row.frame_idx, expected.frame_idx);
            problems.at_line(PATH, line, what);
        }
        if row.frame_idx != expected.frame_idx {
            expected = FaceId { frame_idx: row.frame_idx, ordinal: 0 };
        }
        if numbering == Numbering::WithGaps {
            let stated = row.face_id.split_once('-').and_then(|(_, ordinal)| ordinal.parse().ok());
            expected.ordinal = stated.filter(|stated| *stated > expected.ordinal).unwrap_or(expected.ordinal);
        }
        if row.face_id != expected.to_string() {
            let what = format!("face_id is '{}', by its place it is '{expected}'", row.face_id);
            problems.at_line(PATH, line, what);
        }
        expected.ordinal = expected.ordinal.saturating_add(1);
        for what in wrong_values(row, frame) {
            problems.at_line(PATH, line, what);
        }
        detections.add(row, line, problems);
    }
    detections
}

impl Detections {
    fn add(&mut self, row: &DetectionRow, line: usize, problems: &mut Problems) {
        let DetectionRow { frame_idx, ts, shot, bbox_xyxy, track_id, .. } = *row;
        let face = SeenFace { frame_idx, ts, shot, bbox_xyxy, track_id };
        if self.faces.insert(row.face_id.clone(), face).is_some() {
            problems.at_line(PATH, line, format!("face_id '{}' is there twice", row.face_id));
        }
        let Some(id) = track_id else { return };
        let at = (frame_idx, ts);
        let Some(sight) = self.tracks.get_mut(&id) else {
            self.tracks.insert(id, TrackSight { first: at, last: at, frame_count: 1, shot });
            return;
        };
        if sight.last.0 == frame_idx {
            problems.at_line(PATH, line, format!("track {id} has two boxes in frame {frame_idx}"));
        }
        if sight.shot != shot {
            let what = format!("track {id} has faces in shot {} and in shot {shot}", sight.shot);
            problems.at_line(PATH, line, what);
        }
        sight.last = at;
        sight.frame_count += 1;
    }
}

fn wrong_values(row: &DetectionRow, frame: Size) -> Vec<String> {
    let mut wrong = Vec::new();
    let [x0, y0, x1, y1] = row.bbox_xyxy;
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    if !(0.0 <= x0 && x0 < x1 && x1 <= width && 0.0 <= y0 && y0 < y1 && y1 <= height) {
        wrong.push(format!("the box [{x0}, {y0}, {x1}, {y1}] is none inside of {width}x{height} pixels"));
    }
    if !(0.0..=1.0).contains(&row.conf) {
        wrong.push(format!("conf is {}, not from 0 to 1", row.conf));
    }
    match (row.track_id, row.untracked.as_deref()) {
        (Some(_), None) => {}
        (None, Some(reason)) if is_known(reason) => {}
        (None, Some(reason)) => wrong.push(format!("'{reason}' is no reason for having no track")),
        (Some(id), Some(_)) => wrong.push(format!("it is in track {id} and has a reason for being in none")),
        (None, None) => wrong.push("it is in no track and has no reason for that".to_owned()),
    }
    wrong
}

fn is_known(reason: &str) -> bool {
    serde_json::from_value::<Untracked>(reason.into()).is_ok()
}
