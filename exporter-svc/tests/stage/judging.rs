//! Each guardrail fires on an episode that breaks it, and on no other.

use exporter_svc::metrics::{TrackMetrics, judge};
use facereel_domain::ids::ShotIndex;
use facereel_domain::settings::TrackSettings;
use facereel_messages::objects::Untracked;
use rstest::rstest;

use crate::episode::{Episode, Walk};
use crate::harness::assembled;

fn judged(episode: &Episode) -> TrackMetrics {
    judge("TEST-S01E01", &assembled(episode), &TrackSettings::default())
}

/// A minute with four people, each alone in a shot, all well seen.
fn calm() -> Episode {
    let mut episode = Episode::blank(240, &[0, 60, 120, 180]);
    for person in 0..4 {
        episode.walk(&Walk::of(person, 60 * person..60 * person + 50));
    }
    episode.embed();
    episode
}

fn many_tracks(episode: &mut Episode) {
    for start in (0..240).step_by(60).flat_map(|shot| (shot..shot + 52).step_by(4)) {
        episode.walk(&Walk::of(start % 8, start..start + 8));
    }
}

fn short_tracks(episode: &mut Episode) {
    for start in [10, 70, 130] {
        episode.walk(&Walk::of(7, start..start + 3));
    }
}

fn changes_of_person(episode: &mut Episode) {
    episode.walk(&Walk::of(4, 0..60).becoming(6, 30));
    episode.embed();
}

fn untracked_faces(episode: &mut Episode) {
    for place in 0..120 {
        episode.stray(place, Untracked::NoTrack);
    }
}

fn poor_faces(episode: &mut Episode) {
    for face in episode.batches.iter_mut().flat_map(|batch| &mut batch.faces) {
        face.quality.score = 0.3;
    }
}

fn refused_faces(episode: &mut Episode) {
    for face in episode.parts.iter_mut().flat_map(|part| &mut part.faces).step_by(3) {
        face.outcome = Err("turned_away".to_owned());
    }
    for face in episode.parts.iter_mut().flat_map(|part| &mut part.faces).skip(1).step_by(3) {
        face.outcome = Err("blurred".to_owned());
    }
}

fn a_track_over_a_cut(episode: &mut Episode) {
    for frame in &mut episode.tracks.frames[40..60] {
        frame.shot = ShotIndex(1);
    }
}

fn two_boxes_in_a_frame(episode: &mut Episode) {
    episode.walk(&Walk::of(5, 0..50));
    let double = episode.tracks.tracklets.pop().unwrap().observations[10];
    let observations = &mut episode.tracks.tracklets[0].observations;
    observations.push(double);
    observations.sort_unstable();
}

#[rstest]
#[case("tracks_per_minute", many_tracks)]
#[case("short_track_fraction", short_tracks)]
#[case("id_switch_rate", changes_of_person)]
#[case("coverage", untracked_faces)]
#[case("quality_mean", poor_faces)]
#[case("rejection_rate", refused_faces)]
#[case("cut_crossing_tracks", a_track_over_a_cut)]
#[case("double_boxes", two_boxes_in_a_frame)]
fn a_guardrail_fires_and_names_itself(#[case] name: &str, #[case] spoil: fn(&mut Episode)) {
    let mut episode = calm();
    spoil(&mut episode);
    let metrics = judged(&episode);
    let value = metrics.metrics[name].value.unwrap();
    let [warning] = &metrics.warnings[..] else { panic!("{:?}", metrics.warnings) };
    assert!(warning.starts_with(&format!("{name} is {value}")), "{warning}");
}

#[test]
fn a_calm_episode_gives_no_warning() {
    let metrics = judged(&calm());
    assert_eq!(metrics.warnings, [""; 0]);
    let value = |name: &str| metrics.metrics[name].value;
    assert_eq!(value("tracks_per_minute"), Some(4.0));
    assert_eq!(value("faces_per_track"), Some(50.0));
    assert_eq!(value("coverage"), Some(1.0));
    assert_eq!(value("id_switch_rate"), Some(0.0));
    assert!(value("embedding_norm_error").unwrap() < 1e-4);
}

#[test]
fn what_can_not_be_judged_is_null_and_no_warning() {
    let metrics = judged(&Episode::blank(40, &[0]));
    assert_eq!(metrics.warnings, [""; 0]);
    for name in
        ["short_track_fraction", "coverage", "quality_mean", "rejection_rate", "cohesion_mean", "recall"]
    {
        assert_eq!(metrics.metrics[name].value, None, "{name}");
    }
    assert_eq!(metrics.metrics["tracks_per_minute"].value, Some(0.0));
}

#[test]
fn every_detection_and_every_chosen_face_is_counted_once() {
    let episode = Episode::typical();
    let metrics = judged(&episode);
    let detections: usize = episode.tracks.frames.iter().map(|frame| frame.faces.len()).sum();
    assert_eq!(metrics.detections.values().sum::<u64>(), detections as u64);
    assert_eq!(metrics.detections["split_too_short"], 2);
    assert_eq!(metrics.detections["too_small"], 1);
    let chosen: usize = assembled(&episode).finals.iter().map(|track| track.chosen.len()).sum();
    assert_eq!(metrics.faces.values().sum::<u64>(), chosen as u64);
}

#[test]
fn every_figure_says_what_it_counts() {
    for (name, metric) in judged(&calm()).metrics {
        assert!(metric.definition.len() > 10, "{name}: {}", metric.definition);
    }
}
