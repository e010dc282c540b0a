//! One shot's detections become tracklets; every detection learns what became of it.

use facereel_bytetrack::{ReachParams, TrackInput, Tracker, TrackerParams, Tracklet as Found};
use facereel_domain::ids::FaceId;
use facereel_domain::settings::PipelineSettings;
use facereel_domain::time::Timeline;
use facereel_messages::objects::{FrameFaces, Tracklet, Untracked};

use crate::thresholds::{Thresholds, thresholds};

/// Tracks the faces of one shot's `frames`, appends its tracklets to `tracklets` in order of first appearance and notes
/// in each face its tracklet's number or why it has none.
pub(crate) fn track_shot(
    frames: &mut [FrameFaces],
    timeline: &Timeline,
    settings: &PipelineSettings,
    tracklets: &mut Vec<Tracklet>,
) {
    let limits = thresholds(frames, settings);
    let Ok(mut tracker) = Tracker::new(params(settings, limits)) else {
        // Settings were checked when they were read; a shot without tracks is what impossible ones would give.
        return;
    };
    let mut members = Vec::with_capacity(frames.len());
    for frame in frames.iter_mut() {
        let (inputs, ordinals) = trackable(frame, settings);
        // Frames come in order of time, so time never goes back.
        let _ = tracker.update(timeline.seconds(frame.pts), &inputs);
        members.push(ordinals);
    }
    for found in tracker.finish() {
        let places = found.observations.iter().map(|o| (o.frame, members[o.frame][o.detection]));
        if let Some(reason) = unfit(&found, limits, settings) {
            places.for_each(|(frame, ordinal)| frames[frame].faces[ordinal].fate = Err(reason));
            continue;
        }
        let number = tracklets.len() as u32;
        let mut observations = Vec::with_capacity(found.observations.len());
        for (frame, ordinal) in places {
            frames[frame].faces[ordinal].fate = Ok(number);
            observations.push(FaceId { frame_idx: frames[frame].frame_idx, ordinal: ordinal as u32 });
        }
        tracklets.push(Tracklet { shot: frames[0].shot, observations });
    }
}

/// Why a track is left out, if it is.
fn unfit(found: &Found, limits: Thresholds, settings: &PipelineSettings) -> Option<Untracked> {
    let count = found.observations.len();
    if count < settings.track.min_observations as usize {
        return Some(Untracked::TrackTooShort);
    }
    let sum: f64 = found.observations.iter().map(|o| f64::from(o.confidence)).sum();
    // Where the light lowers a shot's scores as a whole, it lowers what is expected of their mean.
    let least = settings.track.min_mean_confidence - (settings.track.high_thresh - limits.high).max(0.0);
    (sum / (count as f64) < f64::from(least)).then_some(Untracked::TrackUnsure)
}

/// The faces of a frame that tracks may take, and their ordinals; the others learn why not.
fn trackable(frame: &mut FrameFaces, settings: &PipelineSettings) -> (Vec<TrackInput>, Vec<usize>) {
    let mut inputs = Vec::with_capacity(frame.faces.len());
    let mut ordinals = Vec::with_capacity(frame.faces.len());
    for (ordinal, face) in frame.faces.iter_mut().enumerate() {
        let detection = &face.detection;
        if detection.bbox.short_side() < settings.detect.min_face_px as f32 {
            face.fate = Err(Untracked::TooSmall);
        } else if detection.confidence < settings.track.low_thresh {
            face.fate = Err(Untracked::LowConfidence);
        } else {
            inputs.push(TrackInput { bbox: detection.bbox, confidence: detection.confidence });
            ordinals.push(ordinal);
        }
    }
    (inputs, ordinals)
}

fn params(settings: &PipelineSettings, limits: Thresholds) -> TrackerParams {
    let track = &settings.track;
    let defaults = TrackerParams::default();
    TrackerParams {
        high_thresh: limits.high.max(track.low_thresh),
        low_thresh: track.low_thresh,
        new_thresh: limits.new.max(limits.high),
        min_iou: track.min_iou,
        second_min_iou: track.second_min_iou,
        buffer_sec: track.buffer_sec,
        max_gap_sec: track.max_gap_sec,
        reach: defaults
            .reach
            .filter(|_| track.max_jump > 0.0)
            .map(|reach| ReachParams { at_most: track.max_jump, ..reach }),
        ..defaults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{face, frame, timeline};
    use facereel_domain::detection::Detection;

    /// Tracks a shot sampled every sixth frame.
    fn track(seen: Vec<Vec<Detection>>) -> (Vec<FrameFaces>, Vec<Tracklet>) {
        let mut frames: Vec<_> = (0..).step_by(6).zip(seen).map(|(at, faces)| frame(at, faces)).collect();
        let mut tracklets = Vec::new();
        track_shot(&mut frames, &timeline(), &PipelineSettings::default(), &mut tracklets);
        (frames, tracklets)
    }

    fn fates(frames: &[FrameFaces], ordinal: usize) -> Vec<Result<u32, Untracked>> {
        frames.iter().filter_map(|frame| Some(frame.faces.get(ordinal)?.fate)).collect()
    }

    #[test]
    fn every_face_learns_why_it_has_no_track() {
        let steady = face(0.0, 100.0, 0.9);
        let small = face(300.0, 20.0, 0.9);
        let faint = face(500.0, 100.0, 0.2);
        let unsure = face(800.0, 100.0, 0.5);
        let (frames, tracklets) = track(vec![vec![steady, small, faint, unsure]; 5]);
        assert_eq!(tracklets.len(), 1);
        assert_eq!(fates(&frames, 0), vec![Ok(0); 5]);
        assert_eq!(fates(&frames, 1), vec![Err(Untracked::TooSmall); 5]);
        assert_eq!(fates(&frames, 2), vec![Err(Untracked::LowConfidence); 5]);
        assert_eq!(fates(&frames, 3), vec![Err(Untracked::NoTrack); 5]);
    }

    #[test]
    fn a_face_that_is_seen_too_seldom_is_no_track_and_takes_no_number() {
        let (brief, steady) = (face(0.0, 100.0, 0.9), face(600.0, 100.0, 0.9));
        let mut seen = vec![vec![brief.clone(), steady.clone()], vec![brief, steady.clone()]];
        seen.extend(vec![vec![steady]; 3]);
        let (frames, tracklets) = track(seen);
        assert_eq!(frames[0].faces[0].fate, Err(Untracked::TrackTooShort));
        assert_eq!(frames[1].faces[0].fate, Err(Untracked::TrackTooShort));
        assert_eq!(tracklets.len(), 1);
        assert_eq!(tracklets[0].observations.len(), 5);
        assert_eq!(frames[0].faces[1].fate, Ok(0));
    }

    #[test]
    fn observations_name_the_frame_and_the_place_of_the_face_in_it() {
        let (a, b) = (face(0.0, 100.0, 0.9), face(600.0, 100.0, 0.8));
        // The small face in front shifts the places of the others.
        let (_, tracklets) = track(vec![vec![face(300.0, 20.0, 0.95), a, b]; 3]);
        let places: Vec<Vec<_>> = tracklets
            .iter()
            .map(|t| t.observations.iter().map(|o| (o.frame_idx, o.ordinal)).collect())
            .collect();
        assert_eq!(places, [[(0, 1), (6, 1), (12, 1)], [(0, 2), (6, 2), (12, 2)]]);
    }

    #[test]
    fn a_track_that_was_hardly_ever_sure_is_left_out_as_a_whole() {
        let scores = [0.75, 0.45, 0.45, 0.45, 0.45];
        let (frames, tracklets) = track(scores.iter().map(|s| vec![face(0.0, 100.0, *s)]).collect());
        assert_eq!(tracklets, []);
        assert_eq!(fates(&frames, 0), vec![Err(Untracked::TrackUnsure); 5]);
    }

    #[test]
    fn a_face_that_pales_for_a_moment_keeps_its_track() {
        let scores = [0.9, 0.9, 0.4, 0.4, 0.9];
        let (frames, tracklets) = track(scores.iter().map(|s| vec![face(0.0, 100.0, *s)]).collect());
        assert_eq!(tracklets.len(), 1);
        assert_eq!(fates(&frames, 0), vec![Ok(0); 5]);
    }
}
