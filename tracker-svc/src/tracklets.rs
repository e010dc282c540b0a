//! One shot's detections become tracklets; every detection learns what became of it.

use facereel_bytetrack::{
    ReachParams, TimedInputs, TrackError, TrackInput, TrackerParams, Tracklet as Found, track_whole,
};
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
) -> Result<(), TrackError> {
    let limits = thresholds(frames, settings);
    let mut members = Vec::with_capacity(frames.len());
    let mut timed = Vec::with_capacity(frames.len());
    for frame in frames.iter_mut() {
        let (inputs, ordinals) = trackable(frame, settings);
        timed.push(TimedInputs { ts_sec: timeline.seconds(frame.pts), inputs });
        members.push(ordinals);
    }
    for found in track_whole(&timed, params(settings, limits))? {
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
    Ok(())
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
        let side = detection.bbox.short_side();
        if side < settings.detect.min_face_px as f32 {
            face.fate = Err(Untracked::TooSmall);
        } else if detection.confidence < settings.track.low_thresh {
            face.fate = Err(Untracked::LowConfidence);
        }
        if side >= settings.detect.smallest_tracked_px() && detection.confidence >= settings.track.low_thresh
        {
            inputs.push(TrackInput { bbox: detection.bbox, confidence: detection.confidence });
            ordinals.push(ordinal);
        }
    }
    (inputs, ordinals)
}

fn params(settings: &PipelineSettings, limits: Thresholds) -> TrackerParams {
    let track = &settings.track;
    let defaults = TrackerParams::default();
    let high_thresh = limits.high.max(track.low_thresh);
    TrackerParams {
        high_thresh,
        low_thresh: track.low_thresh,
        new_thresh: limits.new.max(high_thresh),
        new_min_side_px: settings.detect.min_face_px as f32,
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
    use crate::staged::{face, frame, quality, timeline};
    use facereel_domain::detection::{Detection, FaceQuality};

    /// Tracks a shot sampled every sixth frame.
    fn track(seen: Vec<Vec<Detection>>) -> (Vec<FrameFaces>, Vec<Tracklet>) {
        track_with(seen, &PipelineSettings::default())
    }

    fn track_with(
        seen: Vec<Vec<Detection>>,
        settings: &PipelineSettings,
    ) -> (Vec<FrameFaces>, Vec<Tracklet>) {
        let mut frames: Vec<_> = (0..).step_by(6).zip(seen).map(|(at, faces)| frame(at, faces)).collect();
        let mut tracklets = Vec::new();
        track_shot(&mut frames, &timeline(), settings, &mut tracklets).unwrap();
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
    fn a_face_at_the_smallest_size_does_not_come_and_go_with_its_box() {
        let sides = [30.0, 33.0, 29.0, 31.0, 24.0, 34.0];
        let (frames, tracklets) = track(sides.iter().map(|side| vec![face(0.0, *side, 0.9)]).collect());
        assert_eq!(tracklets.len(), 1);
        let lost = Err(Untracked::TooSmall);
        assert_eq!(fates(&frames, 0), [Ok(0), Ok(0), Ok(0), Ok(0), lost, Ok(0)]);
        let (frames, tracklets) = track(vec![vec![face(0.0, 31.0, 0.9)]; 5]);
        assert_eq!(
            (tracklets, fates(&frames, 0)),
            (vec![], vec![lost; 5]),
            "never large enough to begin a track"
        );
    }

    #[test]
    fn a_face_that_was_pale_before_it_was_sure_is_followed_back() {
        let scores = [0.4, 0.5, 0.65, 0.9, 0.9, 0.9];
        let (frames, tracklets) = track(scores.iter().map(|s| vec![face(0.0, 100.0, *s)]).collect());
        assert_eq!(tracklets.len(), 1);
        assert_eq!(fates(&frames, 0), vec![Ok(0); 6]);
    }

    /// Two people in the dark, and noise wherever shadows look like faces for a moment.
    fn dark_shot() -> Vec<Vec<Detection>> {
        let dim = |x: f32, score: f32| {
            let mut seen = face(x, 100.0, score);
            seen.quality = Some(FaceQuality { brightness: 0.04, contrast: 0.05, ..quality(0.3) });
            seen
        };
        let look = |n: usize| {
            let noise = dim(300.0 + 110.0 * (n * 5 % 8) as f32, 0.31 + 0.01 * (n % 7) as f32);
            vec![dim(0.0, 0.52 + 0.01 * (n % 9) as f32), dim(150.0, 0.56), noise]
        };
        (0..12).map(look).collect()
    }

    #[test]
    fn in_the_dark_the_adaptive_threshold_finds_people_and_no_shadows() {
        let found = |adaptive_threshold: bool| {
            let mut settings = PipelineSettings::default();
            settings.detect.adaptive_threshold = adaptive_threshold;
            let (frames, _) = track_with(dark_shot(), &settings);
            let tracked = |ordinal| fates(&frames, ordinal).iter().filter(|fate| fate.is_ok()).count();
            [tracked(0), tracked(1), tracked(2)]
        };
        assert_eq!(found(false), [0, 0, 0]);
        assert_eq!(found(true), [12, 12, 0]);
    }

    #[test]
    fn a_face_that_pales_for_a_moment_keeps_its_track() {
        let scores = [0.9, 0.9, 0.4, 0.4, 0.9];
        let (frames, tracklets) = track(scores.iter().map(|s| vec![face(0.0, 100.0, *s)]).collect());
        assert_eq!(tracklets.len(), 1);
        assert_eq!(fates(&frames, 0), vec![Ok(0); 5]);
    }

    #[test]
    fn a_threshold_fitted_to_the_light_may_be_lower_than_the_lowest_wanted() {
        let mut settings = PipelineSettings::default();
        settings.detect.adaptive_threshold = true;
        settings.track.low_thresh = 0.5;
        let dark = FaceQuality { brightness: 0.0, contrast: 0.0, ..quality(0.5) };
        let seen = |x, confidence| Detection { quality: Some(dark), ..face(x, 100.0, confidence) };
        let faces = vec![seen(0.0, 0.9), seen(500.0, 0.55), seen(900.0, 0.55)];
        let (_, tracklets) = track_with(vec![faces; 4], &settings);
        assert!(!tracklets.is_empty());
    }
}
