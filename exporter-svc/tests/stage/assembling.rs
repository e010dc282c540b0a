//! Splits, short pieces, numbers.

use std::collections::BTreeSet;

use exporter_svc::manifests::{CropIndex, DetectionRow, FaceRow, TrackRow};
use facereel_domain::ids::FaceId;
use facereel_messages::objects::{FacePurpose, SplitReason, Untracked};

use crate::episode::{Episode, STRIDE, Walk};
use crate::harness::{assembled, exported, file, rows};

fn frames_of(observations: &[FaceId]) -> Vec<u64> {
    observations.iter().map(|id| id.frame_idx / STRIDE).collect()
}

#[test]
fn a_split_cuts_where_the_boxes_overlap_least() {
    let mut episode = Episode::blank(20, &[0]);
    episode.walk(&Walk::of(0, 0..20).becoming(5, 10));
    episode.embed();
    // The gate looked at every third face only: it knows that the change lies after frame 9, up to frame 12.
    let split = episode.parts[0].splits[0];
    assert_eq!((split.after.frame_idx, split.first.frame_idx), (9 * STRIDE, 12 * STRIDE));
    let finals = assembled(&episode).finals;
    assert_eq!(frames_of(&finals[0].observations), (0..10).collect::<Vec<_>>());
    assert_eq!(frames_of(&finals[1].observations), (10..20).collect::<Vec<_>>());
    assert_eq!(finals[0].split_from, None);
    assert_eq!(finals[1].split_from.map(|split| split.reason), Some(SplitReason::Hard));
}

#[test]
fn the_faces_of_a_split_track_go_with_their_piece() {
    let mut episode = Episode::blank(20, &[0]);
    episode.walk(&Walk::of(0, 0..20).becoming(5, 10));
    episode.embed();
    let finals = assembled(&episode).finals;
    for track in &finals {
        let own: BTreeSet<_> = track.observations.iter().collect();
        assert!(!track.chosen.is_empty());
        assert!(track.chosen.iter().all(|face| own.contains(&face.chosen.face)));
        let prototype = &track.prototype.as_ref().unwrap().embedding;
        for vector in track.chosen.iter().filter_map(|face| face.embedded.outcome.as_ref().ok()) {
            assert!(prototype.similarity(vector) > 0.9);
        }
    }
}

#[test]
fn two_splits_give_three_pieces() {
    let mut episode = Episode::blank(30, &[0]);
    episode.walk(&Walk::of(0, 0..30).becoming(5, 20));
    episode.embed();
    let mut earlier = episode.parts[0].splits[0];
    let at = |place: usize| episode.tracks.tracklets[0].observations[place];
    (earlier.after, earlier.first) = (at(6), at(7));
    episode.parts[0].splits.insert(0, earlier);
    let finals = assembled(&episode).finals;
    let lengths: Vec<_> = finals.iter().map(|track| track.observations.len()).collect();
    assert_eq!(lengths, [7, 13, 10]);
}

#[test]
fn a_person_who_comes_back_in_the_same_shot_goes_on_with_the_same_track() {
    let mut episode = Episode::blank(60, &[0, 40]);
    episode.walk(&Walk::of(0, 0..12));
    episode.walk(&Walk::of(1, 3..20));
    episode.walk(&Walk::of(0, 24..40));
    episode.walk(&Walk::of(0, 40..60));
    episode.embed();
    let finals = assembled(&episode).finals;
    let spans: Vec<_> =
        finals.iter().map(|t| (t.id.0, frames_of(&t.observations)[0], t.observations.len())).collect();
    assert_eq!(spans, [(1, 0, 28), (2, 3, 17), (3, 40, 20)], "never across a cut");
    let samples = finals[0].chosen.iter().filter(|face| face.chosen.purpose != FacePurpose::Gate).count();
    assert_eq!(samples, episode.request.pipeline.track.sample_limit as usize);
    let prototype = finals[0].prototype.as_ref().unwrap();
    assert!(prototype.cohesion > 0.9, "{}", prototype.cohesion);
}

#[test]
fn fragments_stay_apart_where_joining_is_off_or_no_threshold_is_known() {
    let mut episode = Episode::blank(40, &[0]);
    episode.walk(&Walk::of(0, 0..12));
    episode.walk(&Walk::of(0, 24..40));
    episode.embed();
    assert_eq!(assembled(&episode).finals.len(), 1);
    let mut unknown = episode.clone();
    unknown.parts.iter_mut().for_each(|part| part.rejoin = None);
    assert_eq!(assembled(&unknown).finals.len(), 2);
    episode.request.pipeline.track.relink_gap_sec = 0.0;
    assert_eq!(assembled(&episode).finals.len(), 2);
}

#[test]
fn people_who_changed_tracks_get_both_their_halves() {
    let mut episode = Episode::blank(40, &[0]);
    episode.walk(&Walk::of(0, 0..40).becoming(1, 20));
    episode.walk(&Walk::of(1, 1..40).becoming(0, 20));
    episode.embed();
    let finals = assembled(&episode).finals;
    let lengths: Vec<_> = finals.iter().map(|track| track.observations.len()).collect();
    assert_eq!(lengths, [40, 39]);
}

#[test]
fn what_the_embedder_warns_of_is_told_once() {
    let mut episode = Episode::typical();
    episode.parts.iter_mut().for_each(|part| part.warnings = vec!["no thresholds".to_owned()]);
    let warnings = assembled(&episode).tracks.warnings;
    assert_eq!(warnings.iter().filter(|warning| *warning == "no thresholds").count(), 1);
}

#[test]
fn tracks_are_numbered_by_first_appearance_and_the_surer_face_comes_first() {
    let mut episode = Episode::blank(20, &[0]);
    episode.walk(&Walk::of(0, 0..20).becoming(5, 14));
    episode.walk(&Walk::of(1, 0..20));
    episode.walk(&Walk::of(2, 8..20));
    episode.embed();
    let finals = assembled(&episode).finals;
    let starts: Vec<_> = finals.iter().map(|track| (track.id.0, track.observations[0])).collect();
    let expected = [(0, 0), (0, 1), (8, 2), (14, 0)]
        .map(|(place, ordinal)| FaceId { frame_idx: place * STRIDE, ordinal });
    assert_eq!(starts, (1..).zip(expected).collect::<Vec<_>>());
}

#[test]
fn every_face_knows_its_final_track_or_why_it_has_none() {
    let assembled = assembled(&Episode::typical());
    let mut by_track = vec![0; assembled.finals.len()];
    for frame in &assembled.tracks.frames {
        for (ordinal, face) in (0..).zip(&frame.faces) {
            let id = FaceId { frame_idx: frame.frame_idx, ordinal };
            if let Ok(place) = face.fate {
                by_track[place as usize] += 1;
                assert!(assembled.finals[place as usize].observations.contains(&id), "{id}");
            }
        }
    }
    let lengths: Vec<_> = assembled.finals.iter().map(|track| track.observations.len()).collect();
    assert_eq!(by_track, lengths);
}

#[tokio::test]
async fn a_piece_that_is_too_short_is_left_out_of_every_file() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let detections: Vec<DetectionRow> = rows(&episode, &*store, "manifests/detections.jsonl").await;
    let reason = Untracked::SplitTooShort.as_str();
    let dropped: BTreeSet<_> = ids(detections.iter().filter(|row| row.untracked.as_deref() == Some(reason)));
    assert_eq!(dropped.len(), 2, "frames 32 and 33");
    let faces: Vec<FaceRow> = rows(&episode, &*store, "manifests/faces.jsonl").await;
    assert!(faces.iter().all(|face| !dropped.contains(&face.face_id)));
    let tracks: Vec<TrackRow> = rows(&episode, &*store, "manifests/tracks.jsonl").await;
    assert_eq!(tracks.len(), 6);
    for track in &tracks {
        let path = format!("frames/crops/track_{:04}/index.json", track.track_id);
        let index: CropIndex = serde_json::from_slice(&file(&episode, &*store, &path).await).unwrap();
        assert!(index.crops.iter().all(|crop| !dropped.contains(&crop.face_id)));
    }
}

#[tokio::test]
async fn no_file_names_a_track_or_a_face_that_is_not_there() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let detections: Vec<DetectionRow> = rows(&episode, &*store, "manifests/detections.jsonl").await;
    let tracks: Vec<TrackRow> = rows(&episode, &*store, "manifests/tracks.jsonl").await;
    let faces: Vec<FaceRow> = rows(&episode, &*store, "manifests/faces.jsonl").await;
    let known: BTreeSet<_> = tracks.iter().map(|track| track.track_id).collect();
    assert_eq!(detections.iter().filter_map(|row| row.track_id).collect::<BTreeSet<_>>(), known);
    let tracked: BTreeSet<_> = ids(detections.iter().filter(|row| row.track_id.is_some()));
    for face in &faces {
        assert!(known.contains(&face.track_id) && tracked.contains(&face.face_id), "{face:?}");
    }
}

fn ids<'a>(rows: impl Iterator<Item = &'a DetectionRow>) -> BTreeSet<String> {
    rows.map(|row| row.face_id.clone()).collect()
}
