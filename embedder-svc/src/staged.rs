//! Made-up faces for this crate's tests.

use facereel_domain::detection::{ChipRef, FaceQuality};
use facereel_domain::geometry::{Landmarks, Point};
use facereel_domain::ids::{FaceId, SegmentIndex};
use facereel_imaging::align::TEMPLATE;
use facereel_messages::objects::{FacePurpose, FaceToEmbed};

/// A good face of tracklet 0 in frame `frame_idx`, whose chip is the aligned face itself.
pub(crate) fn face(frame_idx: u64) -> FaceToEmbed {
    FaceToEmbed {
        face: FaceId { frame_idx, ordinal: 0 },
        tracklet: 0,
        ts: frame_idx as f64 / 24.0,
        segment: SegmentIndex(0),
        chip: ChipRef { offset: 0, len: 0, origin_px: [300, 200], scale: 1.0 },
        landmarks: Landmarks(TEMPLATE.map(|p| Point { x: p.x + 300.0, y: p.y + 200.0 })),
        short_side_px: 100.0,
        confidence: 0.9,
        quality: FaceQuality {
            score: 0.9,
            sharpness: 0.9,
            brightness: 0.5,
            contrast: 0.5,
            yaw_deg: 0.0,
            pitch_deg: 0.0,
            roll_deg: 0.0,
        },
        purpose: FacePurpose::SampleAndGate,
        jumped: false,
    }
}
