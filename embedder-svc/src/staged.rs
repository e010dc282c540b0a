//! Made-up faces, vectors and rules for this crate's tests.

use facereel_domain::detection::{ChipRef, FaceQuality};
use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::{Landmarks, Point};
use facereel_domain::ids::{FaceId, SegmentIndex};
use facereel_imaging::align::TEMPLATE;
use facereel_messages::objects::{FacePurpose, FaceToEmbed};

use crate::gate::GateRules;

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

/// Rules of the appearance gate that angles can be chosen by: cosines of 84, 73 degrees.
pub(crate) const RULES: GateRules = GateRules { hard: 0.1, soft: 0.3, streak: 3, momentum: 0.9 };

/// A unit vector at an angle in degrees: the similarity of two is the cosine of their difference.
pub(crate) fn at(angle: f32) -> Embedding {
    let (y, x) = angle.to_radians().sin_cos();
    Embedding::normalized(vec![x, y]).unwrap()
}
