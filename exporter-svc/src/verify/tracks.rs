//! `shots.jsonl` and `tracks.jsonl` against `detections.jsonl`.

use std::collections::{BTreeMap, BTreeSet};

use facereel_domain::ids::TrackId;
use facereel_domain::shot::ShotStart;

use super::Contents;
use super::detections::{self, TrackSight};
use super::problems::Problems;
use super::vectors::Vectors;
use crate::erase::Extent;
use crate::manifests::{ShotRow, TrackRow};

const SHOTS: &str = "manifests/shots.jsonl";
pub(super) const TRACKS: &str = "manifests/tracks.jsonl";

/// Shots follow each other, hold their frames, and count their tracks.
pub(super) fn check_shots(contents: &Contents, problems: &mut Problems) {
    let Some(shots) = &contents.shots else { return };
    let tracks_in = contents.tracks.as_ref().map(|tracks| count_by_shot(tracks));
    for (place, shot) in shots.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| shots.get(before));
        for what in wrong_shot(place, shot, before) {
            problems.at_line(SHOTS, place + 1, what);
        }
        if let Some(tracks_in) = &tracks_in {
            let found = tracks_in.get(&shot.shot).copied().unwrap_or(0);
            if found != shot.tracks {
                let what = format!("it says {} tracks, tracks.jsonl has {found} in this shot", shot.tracks);
                problems.at_line(SHOTS, place + 1, what);
            }
        }
    }
    for face in contents.detections.iter().flat_map(detections::Detections::faces) {
        let frame = face.frame_idx;
        let holds = |shot: &ShotRow| (shot.first_frame_idx..=shot.last_frame_idx).contains(&frame);
        if !shots.get(face.shot as usize).is_some_and(holds) {
            let what = format!("frame {frame} is not in shot {} of shots.jsonl", face.shot);
            problems.add(detections::PATH, what);
        }
    }
}

fn count_by_shot(tracks: &[TrackRow]) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for track in tracks {
        *counts.entry(track.shot).or_default() += 1;
    }
    counts
}

fn wrong_shot(place: usize, shot: &ShotRow, before: Option<&ShotRow>) -> Vec<String> {
    let mut wrong = Vec::new();
    if shot.shot as usize != place {
        wrong.push(format!("it is shot {}, by its place it is shot {place}", shot.shot));
    }
    if (shot.start == ShotStart::Start) != before.is_none() {
        wrong.push("the first shot, and no other, begins with the video ('start')".to_owned());
    }
    let (first, last) = (shot.first_frame_idx, shot.last_frame_idx);
    if last < first || shot.last_ts < shot.first_ts {
        wrong.push(format!("it ends (frame {last}) before it begins (frame {first})"));
    }
    // Frames that come faster than they can be numbered share a number.
    let overlaps = |before: &&ShotRow| before.last_frame_idx > first || before.last_ts >= shot.first_ts;
    if let Some(before) = before.filter(overlaps) {
        let end = before.last_frame_idx;
        wrong.push(format!("it begins at frame {first}, but the shot before ends at frame {end}"));
    }
    wrong
}

/// Tracks whose faces were not erased.
pub(super) fn with_faces(tracks: &[TrackRow]) -> u64 {
    tracks.iter().filter(|track| !track.erased).count() as u64
}

/// Tracks are numbered in order and are what the detections say.
pub(super) fn check_tracks((contents, extent): (&Contents, &Extent), problems: &mut Problems) {
    let Some(tracks) = &contents.tracks else { return };
    let mut vectors = Vectors::of(extent);
    let mut begin = 0;
    for (place, track) in tracks.iter().enumerate() {
        let line = place + 1;
        if track.track_id as usize != line {
            let what = format!("it is track {}, by its place it is track {line}", track.track_id);
            problems.at_line(TRACKS, line, what);
        }
        if track.erased != extent.holds(TrackId(track.track_id)) {
            let what = if track.erased { "is marked as erased, and no record of it" } else { "was erased" };
            problems.at_line(TRACKS, line, format!("track {} {what}", track.track_id));
        }
        if !track.erased {
            if track.first_frame_idx < begin {
                problems.at_line(TRACKS, line, "it appears before the track above it");
            }
            begin = track.first_frame_idx;
        }
        if contents.shots.as_ref().is_some_and(|shots| track.shot as usize >= shots.len()) {
            problems.at_line(TRACKS, line, format!("there is no shot {} in shots.jsonl", track.shot));
        }
        if let Some(what) = wrong_vector(track, &mut vectors) {
            problems.at_line(TRACKS, line, what);
        }
        if let Some(seen) = &contents.detections {
            let sight = seen.tracks.get(&track.track_id);
            let wrong = match sight {
                None if track.erased => Vec::new(),
                None => vec![format!("track {} has no face in detections.jsonl", track.track_id)],
                Some(_) if track.erased => {
                    vec![format!("track {} was erased, and has faces in detections.jsonl", track.track_id)]
                }
                Some(sight) => wrong_sight(track, sight),
            };
            for what in wrong {
                problems.at_line(TRACKS, line, what);
            }
        }
    }
    for id in contents.detections.iter().flat_map(|seen| seen.tracks.keys()) {
        if !(1..=tracks.len()).contains(&(*id as usize)) {
            problems.add(detections::PATH, format!("track {id} is not in tracks.jsonl"));
        }
    }
    check_samples(contents, tracks, problems);
}

fn wrong_vector(track: &TrackRow, vectors: &mut Vectors) -> Option<String> {
    if track.embedding_model.is_some() != track.embedding_row.is_some() {
        return Some("only one of embedding_row and embedding_model is set".to_owned());
    }
    vectors.wrong_place(track.embedding_row?)
}

fn wrong_sight(track: &TrackRow, sight: &TrackSight) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |name: &str, stated: u64, found: u64| {
        if stated != found {
            wrong
                .push(format!("track {}: {name} is {stated}, detections.jsonl says {found}", track.track_id));
        }
    };
    compare("frame_count", track.frame_count, sight.frame_count);
    compare("first_frame_idx", track.first_frame_idx, sight.first.0);
    compare("last_frame_idx", track.last_frame_idx, sight.last.0);
    compare("shot", track.shot.into(), sight.shot.into());
    for (name, stated, found) in
        [("first_ts", track.first_ts, sight.first.1), ("last_ts", track.last_ts, sight.last.1)]
    {
        if stated.to_bits() != found.to_bits() {
            wrong
                .push(format!("track {}: {name} is {stated}, detections.jsonl says {found}", track.track_id));
        }
    }
    wrong
}

/// Every sampled box is a face of the track.
fn check_samples(contents: &Contents, tracks: &[TrackRow], problems: &mut Problems) {
    let Some(seen) = &contents.detections else { return };
    let boxes: BTreeSet<_> = seen
        .faces()
        .filter_map(|face| Some((face.track_id?, face.frame_idx, face.bbox_xyxy.map(f64::to_bits))))
        .collect();
    for (line, track) in (1..).zip(tracks) {
        for sample in &track.bboxes_sampled {
            let frame = sample.frame_idx;
            if !boxes.contains(&(track.track_id, frame, sample.bbox_xyxy.map(f64::to_bits))) {
                let what = format!("bboxes_sampled has a box in frame {frame} that is no face of the track");
                problems.at_line(TRACKS, line, what);
            }
        }
    }
}
