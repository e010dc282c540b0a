//! The rows of the manifests, one kind a file: what users parse. Every row carries the schema version.
//!
//! Coordinates are pixels of the source frame, rounded to hundredths; times are seconds from the first frame, rounded to
//! microseconds; scores to ten-thousandths. Rounding is part of the format: it makes files smaller and differences readable.

mod crop_index;
mod detections;
mod faces;
mod shots;
mod tracks;

use facereel_domain::detection::FaceQuality;
use facereel_domain::geometry::{BBox, Landmarks};
use serde::{Deserialize, Serialize};

pub use crop_index::{CropIndex, CropRow, crop_indices};
pub use detections::{DetectionRow, detection_rows};
pub use faces::{FaceRow, face_rows};
pub use shots::{ShotRow, shot_rows};
pub use tracks::{SampledBox, TrackRow, track_rows};

/// Version of every row and file that is described here.
pub const SCHEMA_VERSION: u32 = 1;

/// One JSON object a line.
pub fn to_jsonl<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, row)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A value rounded to a fixed number of decimals, as the formats hold it.
#[must_use]
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    // `+ 0.0` turns a negative zero into zero.
    (value * scale).round() / scale + 0.0
}

fn pixels(value: f32) -> f64 {
    rounded(f64::from(value), 2)
}

fn score(value: f32) -> f64 {
    rounded(f64::from(value), 4)
}

fn seconds(value: f64) -> f64 {
    rounded(value, 6)
}

fn corners(bbox: &BBox) -> [f64; 4] {
    bbox.xyxy().map(pixels)
}

fn points(landmarks: &Landmarks) -> [[f64; 2]; 5] {
    landmarks.0.map(|p| [pixels(p.x), pixels(p.y)])
}

/// How well a face can be seen, as written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRow {
    /// All in one, 0 to 1.
    pub score: f64,
    /// 0 to 1.
    pub sharpness: f64,
    /// 0 to 1.
    pub brightness: f64,
    /// 0 to 1.
    pub contrast: f64,
    /// Degrees.
    pub yaw_deg: f64,
    /// Degrees.
    pub pitch_deg: f64,
    /// Degrees.
    pub roll_deg: f64,
}

impl From<FaceQuality> for QualityRow {
    fn from(q: FaceQuality) -> Self {
        let degrees = |value: f32| rounded(f64::from(value), 1);
        Self {
            score: score(q.score),
            sharpness: score(q.sharpness),
            brightness: score(q.brightness),
            contrast: score(q.contrast),
            yaw_deg: degrees(q.yaw_deg),
            pitch_deg: degrees(q.pitch_deg),
            roll_deg: degrees(q.roll_deg),
        }
    }
}
