//! With all of a shot at hand: what comes before a track's first sure sighting belongs to it too.

#![allow(clippy::unwrap_used, reason = "inputs of tests are valid")]

use std::collections::BTreeSet;

use facereel_bytetrack::{TimedInputs, TrackInput, TrackerParams, Tracklet, Via, track_whole};
use facereel_domain::geometry::BBox;
use proptest::prelude::*;

fn detection(x: f32, side: f32, confidence: f32) -> TrackInput {
    TrackInput { bbox: BBox::from_xyxy([x, 0.0, x + side, side * 1.2]).unwrap(), confidence }
}

/// Frames 0.25 s apart.
fn timed(frames: &[Vec<TrackInput>]) -> Vec<TimedInputs> {
    let frame = |(n, inputs): (usize, &Vec<TrackInput>)| TimedInputs {
        ts_sec: n as f64 * 0.25,
        inputs: inputs.clone(),
    };
    frames.iter().enumerate().map(frame).collect()
}

fn track(frames: &[Vec<TrackInput>]) -> Vec<Tracklet> {
    track_whole(&timed(frames), TrackerParams::default()).unwrap()
}

fn frames_of(tracklet: &Tracklet) -> Vec<usize> {
    tracklet.observations.iter().map(|o| o.frame).collect()
}

#[test]
fn a_face_that_turns_to_the_camera_is_followed_back_to_where_it_was_pale() {
    let scores = [0.4, 0.5, 0.65, 0.9, 0.9];
    let walk: Vec<_> = (0..).zip(scores).map(|(n, s)| vec![detection(n as f32 * 20.0, 100.0, s)]).collect();
    let tracklets = track(&walk);
    assert_eq!(tracklets.iter().map(frames_of).collect::<Vec<_>>(), [[0, 1, 2, 3, 4]]);
    let via: Vec<Via> = tracklets[0].observations.iter().map(|o| o.via).collect();
    assert_eq!(via, [Via::LowScore, Via::LowScore, Via::Overlap, Via::Birth, Via::Overlap]);
    assert!(tracklets[0].observations.windows(2).all(|pair| pair[0].ts_sec < pair[1].ts_sec));
}

#[test]
fn a_face_that_grows_is_followed_back_to_where_it_was_too_small_to_start_a_track() {
    let params = TrackerParams { new_min_side_px: 40.0, ..TrackerParams::default() };
    let growing: Vec<_> = (0..6).map(|n| vec![detection(0.0, 30.0 + 4.0 * n as f32, 0.9)]).collect();
    let tracklets = track_whole(&timed(&growing), params).unwrap();
    assert_eq!(tracklets.iter().map(frames_of).collect::<Vec<_>>(), [[0, 1, 2, 3, 4, 5]]);
    let small: Vec<_> = (0..6).map(|_| vec![detection(0.0, 39.0, 0.9)]).collect();
    assert_eq!(track_whole(&timed(&small), params), Ok(vec![]));
}

#[test]
fn going_back_does_not_reach_beyond_the_longest_gap() {
    let mut frames = vec![vec![detection(0.0, 100.0, 0.5)]];
    frames.extend(vec![vec![]; 8]);
    frames.extend(vec![vec![detection(0.0, 100.0, 0.9)]; 3]);
    assert_eq!(track(&frames).iter().map(frames_of).collect::<Vec<_>>(), [[9, 10, 11]]);
}

#[test]
fn tracks_stay_in_order_of_first_appearance_when_going_back_changes_it() {
    let late = |n: usize| detection(500.0, 100.0, if n < 4 { 0.5 } else { 0.9 });
    let frames: Vec<_> = (0..8)
        .map(|n| if n == 0 { vec![late(n)] } else { vec![late(n), detection(0.0, 100.0, 0.95)] })
        .collect();
    let tracklets = track(&frames);
    assert_eq!(
        tracklets.iter().map(|t| (frames_of(t)[0], t.observations[0].bbox)).collect::<Vec<_>>(),
        [(0, detection(500.0, 100.0, 0.5).bbox), (1, detection(0.0, 100.0, 0.95).bbox)]
    );
}

#[test]
fn frames_out_of_order_are_refused() {
    let mut frames = timed(&[vec![], vec![]]);
    frames.swap(0, 1);
    assert!(track_whole(&frames, TrackerParams::default()).is_err());
}

fn any_frames() -> impl Strategy<Value = Vec<Vec<TrackInput>>> {
    let any = (0_u8..20, 1_u8..6, 0.0_f32..1.0)
        .prop_map(|(x, side, confidence)| detection(f32::from(x) * 20.0, f32::from(side) * 20.0, confidence));
    proptest::collection::vec(proptest::collection::vec(any, 0..7), 1..30)
}

proptest! {
    #[test]
    fn what_holds_forward_holds_both_ways(frames in any_frames()) {
        let params = TrackerParams::default();
        let mut used = BTreeSet::new();
        let tracklets = track(&frames);
        for tracklet in &tracklets {
            prop_assert!(tracklet.observations.windows(2).all(|pair| pair[0].frame < pair[1].frame));
            prop_assert!(tracklet.longest_gap_sec() <= params.max_gap_sec);
            prop_assert_eq!(tracklet.observations.iter().filter(|o| o.via == Via::Birth).count(), 1);
            for o in &tracklet.observations {
                prop_assert!(used.insert((o.frame, o.detection)));
                let input = &frames[o.frame][o.detection];
                prop_assert_eq!((o.bbox, o.confidence), (input.bbox, input.confidence));
                prop_assert!(o.confidence >= params.low_thresh);
            }
        }
        prop_assert!(tracklets.windows(2).all(|p| frames_of(&p[0])[0] <= frames_of(&p[1])[0]));
        prop_assert_eq!(track(&frames), tracklets);
    }
}
