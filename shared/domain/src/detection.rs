//! What a detector saw in a frame.

use serde::{Deserialize, Serialize};

use crate::geometry::{BBox, Landmarks};

/// How well a face can be seen; every part is comparable across faces of any size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FaceQuality {
    /// One figure for all that follows, 0 (useless) to 1 (sharp, lit, frontal, large).
    pub score: f32,
    /// Detail at the face's own scale, 0 (blurred) to 1 (sharp).
    pub sharpness: f32,
    /// Mean luma of the face, 0 (black) to 1 (white).
    pub brightness: f32,
    /// Spread of luma (5th to 95th percentile), 0 to 1.
    pub contrast: f32,
    /// Turn to the side from the landmarks, degrees; positive turns towards the image's right.
    pub yaw_deg: f32,
    /// Nod from the landmarks, degrees; positive looks up.
    pub pitch_deg: f32,
    /// Tilt of the line between the eyes, degrees; positive is clockwise in the image.
    pub roll_deg: f32,
}

/// Where a face's chip lies: a byte range of its segment's chip pack, and how chip pixels relate to the frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChipRef {
    /// First byte in the pack.
    pub offset: u64,
    /// Bytes of the JPEG.
    pub len: u32,
    /// Frame pixel at the chip's upper left corner.
    pub origin_px: [u32; 2],
    /// Chip pixels per frame pixel (1 unless the chip was made smaller).
    pub scale: f32,
}

/// A face in a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The face's box in source pixels, inside the frame.
    pub bbox: BBox,
    /// Five points in source pixels.
    pub landmarks: Landmarks,
    /// The detector's score, 0 to 1.
    pub confidence: f32,
    /// Absent where the face is too small or too unsure to be looked at closer.
    pub quality: Option<FaceQuality>,
    /// Absent where no chip was made (same reasons).
    pub chip: Option<ChipRef>,
}
