//! One shot's detections become tracklets; every detection learns what became of it.

use facereel_bytetrack::{ReachParams, TrackInput, Tracker, TrackerParams};
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
        if found.observations.len() < settings.track.min_observations as usize {
            places.for_each(|(frame, ordinal)| {
                frames[frame].faces[ordinal].fate = Err(Untracked::TrackTooShort);
            });
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
