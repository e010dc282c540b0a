//! What holds for every input.

#![allow(clippy::unwrap_used, reason = "inputs of tests are valid")]

use facereel_bytetrack::{TrackInput, Tracker, TrackerParams, Tracklet, Via};
use facereel_domain::geometry::BBox;
use proptest::prelude::*;

type Frame = Vec<TrackInput>;

fn detection(x: f32, y: f32, side: f32, confidence: f32) -> TrackInput {
    TrackInput { bbox: BBox::from_xyxy([x, y, x + side, y + side * 1.2]).unwrap(), confidence }
}

/// Tracks frames 0.25 s apart; a cut before each frame in `cuts`.
fn track(frames: &[Frame], cuts: &[usize]) -> Vec<Tracklet> {
    let mut tracker = Tracker::new(TrackerParams::default()).unwrap();
    for (i, frame) in frames.iter().enumerate() {
        if cuts.contains(&i) {
            tracker.cut();
        }
        tracker.update(i as f64 * 0.25, frame).unwrap();
    }
    tracker.finish()
}

fn any_detection() -> impl Strategy<Value = TrackInput> {
    let confidence = prop_oneof![9 => 0.0_f32..1.0, 1 => Just(f32::NAN)];
    // A narrow stage, so that boxes meet; a coarse grid, so that ties occur.
    (0_u8..20, 0_u8..8, 1_u8..6, confidence).prop_map(|(x, y, side, confidence)| {
        detection(f32::from(x) * 20.0, f32::from(y) * 20.0, f32::from(side) * 20.0, confidence)
    })
}

fn any_frames() -> impl Strategy<Value = Vec<Frame>> {
    proptest::collection::vec(proptest::collection::vec(any_detection(), 0..7), 1..30)
}

proptest! {
    #[test]
    fn a_detection_is_in_one_track_and_a_track_has_one_detection_a_frame(frames in any_frames()) {
        let mut used = std::collections::BTreeSet::new();
        for tracklet in track(&frames, &[]) {
            prop_assert!(tracklet.observations.windows(2).all(|pair| pair[0].frame < pair[1].frame));
            for o in &tracklet.observations {
                prop_assert!(used.insert((o.frame, o.detection)));
                let input = &frames[o.frame][o.detection];
                prop_assert_eq!((o.bbox, o.confidence), (input.bbox, input.confidence));
            }
        }
    }

    #[test]
    fn only_sure_faces_start_tracks_and_the_faint_are_left_out(frames in any_frames()) {
        let params = TrackerParams::default();
        for tracklet in track(&frames, &[]) {
            for (i, o) in tracklet.observations.iter().enumerate() {
                prop_assert_eq!(o.via == Via::Birth, i == 0);
                let least = if i == 0 { params.new_thresh } else { params.low_thresh };
                prop_assert!(o.confidence >= least);
            }
        }
    }

    #[test]
    fn no_gap_is_longer_than_promised(frames in any_frames()) {
        for tracklet in track(&frames, &[]) {
            prop_assert!(tracklet.longest_gap_sec() <= TrackerParams::default().max_gap_sec);
        }
    }

    #[test]
    fn no_track_crosses_a_cut(frames in any_frames(), cut in 0_usize..30) {
        for tracklet in track(&frames, &[cut]) {
            let shots = tracklet.observations.iter().map(|o| usize::from(o.frame >= cut));
            prop_assert!(shots.into_iter().all(|shot| shot == tracklet.shot));
        }
    }

    #[test]
    fn a_cut_forgets_everything(frames in any_frames(), cut in 1_usize..30) {
        prop_assume!(cut < frames.len());
        let whole = track(&frames, &[cut]);
        let mut parts: Vec<Vec<usize>> = Vec::new();
        for (first, part) in [(0, &frames[..cut]), (cut, &frames[cut..])] {
            parts.extend(track(part, &[]).iter().map(|t| t.observations.iter().map(|o| o.frame + first).collect()));
        }
        let frames_of = |t: &Tracklet| t.observations.iter().map(|o| o.frame).collect::<Vec<_>>();
        prop_assert_eq!(whole.iter().map(frames_of).collect::<Vec<_>>(), parts);
    }

    #[test]
    fn ids_are_in_order_of_first_appearance(frames in any_frames()) {
        let tracklets = track(&frames, &[]);
        prop_assert!(tracklets.windows(2).all(|p| p[0].observations[0].frame <= p[1].observations[0].frame));
    }

    #[test]
    fn the_order_of_detections_changes_nothing(frames in any_frames(), turn in 0_usize..7) {
        let turned: Vec<Frame> = frames.iter().map(|frame| {
            let mut frame = frame.clone();
            frame.reverse();
            let len = frame.len();
            if len > 0 { frame.rotate_left(turn % len); }
            frame
        }).collect();
        let seen = |tracklets: Vec<Tracklet>| -> Vec<Vec<(usize, BBox, f32)>> {
            let row = |t: Tracklet| t.observations.iter().map(|o| (o.frame, o.bbox, o.confidence)).collect();
            tracklets.into_iter().map(row).collect()
        };
        prop_assert_eq!(seen(track(&frames, &[])), seen(track(&turned, &[])));
    }

    #[test]
    fn the_same_input_gives_the_same_tracks(frames in any_frames()) {
        prop_assert_eq!(track(&frames, &[]), track(&frames, &[]));
    }
}

#[test]
fn low_scores_carry_a_track_but_start_none() {
    let faint = |x: f32| vec![detection(x, 0.0, 100.0, 0.4)];
    assert!(track(&[faint(0.0), faint(5.0), faint(10.0)], &[]).is_empty());
    let sure = vec![detection(0.0, 0.0, 100.0, 0.9)];
    let tracklets = track(&[sure.clone(), faint(5.0), sure], &[]);
    assert_eq!(tracklets.len(), 1);
    let via: Vec<Via> = tracklets[0].observations.iter().map(|o| o.via).collect();
    assert_eq!(via, [Via::Birth, Via::LowScore, Via::Overlap]);
}

#[test]
fn empty_frames_age_lost_tracks() {
    let face = vec![detection(0.0, 0.0, 100.0, 0.9)];
    let mut frames = vec![face.clone(), face.clone()];
    frames.extend(vec![Frame::new(); 9]);
    frames.push(face);
    assert_eq!(track(&frames, &[]).len(), 2, "2.5 s without the face end its track");
}

#[test]
fn a_face_seen_once_keeps_its_only_sighting() {
    let tracklets = track(&[vec![detection(0.0, 0.0, 100.0, 0.9)], Frame::new()], &[]);
    assert_eq!(tracklets.len(), 1);
    assert_eq!(tracklets[0].observations.len(), 1);
}

#[test]
fn boxes_at_the_edge_of_the_numbers_do_no_harm() {
    let huge = BBox::from_xyxy([-1e18, -1e18, 1e18, 1e18]).unwrap();
    let tiny = BBox::from_xyxy([0.0, 0.0, 1e-15, 1e-15]).unwrap();
    let frame: Frame = [huge, tiny].map(|bbox| TrackInput { bbox, confidence: 0.9 }).to_vec();
    let tracklets = track(&vec![frame; 5], &[]);
    assert_eq!(tracklets.len(), 2);
    assert!(tracklets.iter().all(|t| t.observations.len() == 5));
}

#[test]
fn time_neither_goes_back_nor_leaves_the_numbers() {
    let mut tracker = Tracker::new(TrackerParams::default()).unwrap();
    tracker.update(1.0, &[]).unwrap();
    tracker.update(1.0, &[]).unwrap();
    assert!(tracker.update(0.5, &[]).is_err());
    assert!(tracker.update(f64::NAN, &[]).is_err());
    assert!(tracker.update(f64::INFINITY, &[]).is_err());
    tracker.update(1.5, &[detection(0.0, 0.0, 10.0, 0.9)]).unwrap();
    let tracklets = tracker.finish();
    assert_eq!(tracklets[0].observations[0].frame, 2, "a refused frame is not counted");
}

#[test]
fn overlap_alone_loses_a_face_that_moves_by_its_own_width() {
    let run = |params: TrackerParams| {
        let mut tracker = Tracker::new(params).unwrap();
        for look in 0..8_u8 {
            tracker
                .update(f64::from(look) * 0.25, &[detection(110.0 * f32::from(look), 0.0, 100.0, 0.9)])
                .unwrap();
        }
        tracker.finish().len()
    };
    assert_eq!(run(TrackerParams { reach: None, ..TrackerParams::default() }), 8);
    assert_eq!(run(TrackerParams::default()), 1);
}
