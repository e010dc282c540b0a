//! Made-up faces and frames for this crate's tests.

use facereel_domain::detection::{ChipRef, Detection, FaceQuality};
use facereel_domain::geometry::{BBox, Landmarks, Point, Size};
use facereel_domain::ids::{FaceId, SegmentIndex, ShotIndex};
use facereel_domain::time::{Pts, Rational, Timeline};
use facereel_messages::objects::{
    DetectionCounts, FrameFaces, Plan, SeenFace, Timestamps, Tracklet, Tracks, Untracked, VideoFacts,
};

/// 24 frames a second, one tick a frame.
pub(crate) fn timeline() -> Timeline {
    let rational = |num, den| Rational::new(num, den).unwrap();
    Timeline { time_base: rational(1, 24), first_pts: Pts(0), fps: rational(24, 1) }
}

pub(crate) fn plan() -> Plan {
    let video = VideoFacts {
        container: "mp4".to_owned(),
        codec: "h264".to_owned(),
        pixel_format: "yuv420p".to_owned(),
        bit_depth: 8,
        size: Size { width: 1920, height: 1080 },
        rotation_deg: 0,
        timeline: timeline(),
        timestamps: Timestamps::Container,
        temporal_layers: 1,
        frames: 240,
        duration_sec: 10.0,
    };
    Plan { video, segments: Vec::new(), warnings: Vec::new() }
}

/// A square face of `side` pixels whose left edge is at `x`, well lit and with a chip.
pub(crate) fn face(x: f32, side: f32, confidence: f32) -> Detection {
    Detection {
        bbox: BBox::from_xyxy([x, 100.0, x + side, 100.0 + side]).unwrap(),
        landmarks: Landmarks([Point { x, y: 100.0 }; 5]),
        confidence,
        quality: Some(quality(0.5)),
        chip: Some(ChipRef { offset: 0, len: 100, origin_px: [0, 0], scale: 1.0 }),
    }
}

pub(crate) fn quality(score: f32) -> FaceQuality {
    FaceQuality {
        score,
        sharpness: 0.5,
        brightness: 0.5,
        contrast: 0.5,
        yaw_deg: 0.0,
        pitch_deg: 0.0,
        roll_deg: 0.0,
    }
}

pub(crate) fn frame(frame_idx: u64, detections: Vec<Detection>) -> FrameFaces {
    let seen = |detection| SeenFace { detection, fate: Err(Untracked::NoTrack) };
    FrameFaces {
        pts: Pts(frame_idx as i64),
        frame_idx,
        shot: ShotIndex(0),
        segment: SegmentIndex(0),
        reused: false,
        faces: detections.into_iter().map(seen).collect(),
    }
}

/// One tracklet for each of `lives`: the frames it was seen in, with its face there.
pub(crate) fn tracks(lives: &[Vec<(u64, Detection)>]) -> Tracks {
    let mut indices: Vec<u64> = lives.iter().flatten().map(|(frame_idx, _)| *frame_idx).collect();
    indices.sort_unstable();
    indices.dedup();
    let mut frames: Vec<FrameFaces> = indices.into_iter().map(|index| frame(index, Vec::new())).collect();
    let mut tracklets = Vec::new();
    for (number, life) in lives.iter().enumerate() {
        let mut observations = Vec::new();
        for (frame_idx, detection) in life {
            let place = frames.binary_search_by_key(frame_idx, |frame| frame.frame_idx).unwrap();
            let faces = &mut frames[place].faces;
            observations.push(FaceId { frame_idx: *frame_idx, ordinal: faces.len() as u32 });
            faces.push(SeenFace { detection: detection.clone(), fate: Ok(number as u32) });
        }
        tracklets.push(Tracklet { shot: ShotIndex(0), observations });
    }
    Tracks {
        video: plan().video,
        shots: Vec::new(),
        frames,
        tracklets,
        batches: 0,
        counts: DetectionCounts::default(),
        warnings: Vec::new(),
    }
}
