//! How well a face can be seen: the figures by which samples are chosen and faces are gated.
//!
//! All are taken on the face's luma on a 64 x 64 grid (`grid.rs`), so that they compare across sizes:
//!
//! - `sharpness`: one minus the blur measure of Crete, Dolmiere, Ladret and Nicolas (2007): how much the differences between
//!   neighbours fall when the picture is blurred once more; the worse of both directions; stretched to 0..=1. It does
//!   not depend on contrast.
//! - `brightness`: the mean. `contrast`: 95th less 5th percentile. Both over the inner face.
//! - `score`: the product of four factors, each 1 where nothing is wrong and falling linearly to 0:
//!   sharpness, lighting (brightness and contrast), pose (turn and nod; tilt is undone by alignment), size.

use facereel_domain::detection::FaceQuality;
use facereel_domain::geometry::{BBox, Landmarks};

use crate::RgbImage;
use crate::grid::{self, LumaGrid, SIDE};
use crate::pose::{self, Pose};

/// Share of the box left out on each side: corners of a face box show hair and background.
const INNER_MARGIN: f32 = 0.1;
/// Neighbours on each side that the blur of the sharpness measure averages.
const BLUR_REACH: usize = 4;
/// The raw measure (1 - blur) of pictures with no detail at the grid's scale, and of crisp ones.
const RAW_SHARPNESS: (f32, f32) = (0.30, 0.60);
/// Sharpness from which on more makes no better face.
const SHARP_ENOUGH: f32 = 0.6;
/// Face size in pixels from which on more makes no better face (embedders take 112 pixels a side with margin).
const LARGE_ENOUGH_PX: f32 = 80.0;

/// Measures the face in `face` (pixels of `chip`) with its `landmarks` (pixels of `chip` too).
#[must_use]
pub fn measure(chip: &RgbImage, face: &BBox, landmarks: &Landmarks) -> FaceQuality {
    let grid = grid::luma_under(chip, &face.expanded(-INNER_MARGIN));
    let sharpness = ramp(1.0 - blur(&grid), RAW_SHARPNESS);
    let (brightness, contrast) = lighting(&grid);
    let pose = pose::from_landmarks(landmarks);
    let score = ramp(sharpness, (0.0, SHARP_ENOUGH))
        * lighting_factor(brightness, contrast)
        * pose_factor(&pose)
        * (face.short_side() / LARGE_ENOUGH_PX).min(1.0);
    FaceQuality {
        score,
        sharpness,
        brightness,
        contrast,
        yaw_deg: pose.yaw_deg,
        pitch_deg: pose.pitch_deg,
        roll_deg: pose.roll_deg,
    }
}

/// 0 at `from`, 1 at `to`, linear between; `from` may be the larger.
fn ramp(value: f32, (from, to): (f32, f32)) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

fn lighting_factor(brightness: f32, contrast: f32) -> f32 {
    ramp(brightness, (0.03, 0.18)) * ramp(brightness, (0.98, 0.85)) * ramp(contrast, (0.05, 0.25))
}

fn pose_factor(pose: &Pose) -> f32 {
    ramp(pose.yaw_deg.abs(), (70.0, 20.0)) * ramp(pose.pitch_deg.abs(), (70.0, 25.0))
}

/// Mean and spread of luma, 0..=1.
fn lighting(grid: &LumaGrid) -> (f32, f32) {
    let mut histogram = [0_usize; 256];
    for value in grid {
        histogram[(*value as usize).min(255)] += 1;
    }
    let level_at = |share: usize| {
        let wanted = grid.len() * share / 100;
        let mut seen = 0;
        histogram.iter().position(|count| {
            seen += count;
            seen > wanted
        })
    };
    let spread = level_at(95).zip(level_at(5)).map_or(0, |(high, low)| high - low);
    (grid.iter().sum::<f32>() / grid.len() as f32 / 255.0, spread as f32 / 255.0)
}

/// The blur measure, 0 (sharp) to 1 (blurred or flat): the worse direction.
fn blur(grid: &LumaGrid) -> f32 {
    let mut turned = [0.0; SIDE * SIDE];
    for (i, value) in grid.iter().enumerate() {
        turned[(i % SIDE) * SIDE + i / SIDE] = *value;
    }
    blur_along_rows(grid).max(blur_along_rows(&turned))
}

fn blur_along_rows(grid: &LumaGrid) -> f32 {
    let (mut before, mut lost) = (0.0, 0.0);
    for row in grid.chunks_exact(SIDE) {
        let smooth = smoothed(row);
        for x in 1..SIDE {
            let change = (row[x] - row[x - 1]).abs();
            let change_left = (smooth[x] - smooth[x - 1]).abs();
            before += change;
            lost += (change - change_left).max(0.0);
        }
    }
    // A face with less than one level of change per neighbour pair in twenty is flat: nothing can be said for it.
    if before < grid.len() as f32 / 20.0 { 1.0 } else { 1.0 - lost / before }
}

/// The row under a sliding mean of `2 x BLUR_REACH + 1` places, narrower at the ends.
fn smoothed(row: &[f32]) -> [f32; SIDE] {
    let mut sums = [0.0; SIDE + 1];
    for (x, value) in row.iter().enumerate() {
        sums[x + 1] = sums[x] + value;
    }
    std::array::from_fn(|x| {
        let (from, to) = (x.saturating_sub(BLUR_REACH), (x + BLUR_REACH + 1).min(SIDE));
        (sums[to] - sums[from]) / (to - from) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::Size;

    /// Stripes of `period` pixels both ways, between `low` and `high`.
    fn stripes(side: u32, period: u32, (low, high): (u8, u8)) -> RgbImage {
        let pixel =
            |x: u32, y: u32| if (x / period + y / period).is_multiple_of(2) { [low; 3] } else { [high; 3] };
        let data = (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect();
        RgbImage::new(Size { width: side, height: side }, data).unwrap()
    }

    fn measured(image: &RgbImage) -> FaceQuality {
        let side = image.size().width as f32;
        let frontal = Landmarks(crate::align::TEMPLATE).mapped(0.0, 0.0, side / 112.0);
        measure(image, &BBox::from_xyxy([0.0, 0.0, side, side]).unwrap(), &frontal)
    }

    #[test]
    fn sharpness_tells_fine_detail_from_coarse_at_any_size() {
        for side in [100, 200, 400] {
            let fine = measured(&stripes(side, side / 20, (60, 180)));
            let flat = measured(&stripes(side, side, (60, 180)));
            assert!(fine.sharpness > 0.8, "{fine:?}");
            assert!(flat.sharpness < 0.01, "{flat:?}");
        }
    }

    #[test]
    fn sharpness_does_not_depend_on_contrast() {
        let (strong, weak) = (stripes(200, 10, (20, 220)), stripes(200, 10, (100, 140)));
        assert!((measured(&strong).sharpness - measured(&weak).sharpness).abs() < 0.05);
        assert!(measured(&strong).contrast > 3.0 * measured(&weak).contrast);
    }

    #[test]
    fn dark_and_burnt_out_faces_score_low() {
        let good = measured(&stripes(200, 10, (60, 180))).score;
        assert!(good > 0.8, "{good}");
        assert!(measured(&stripes(200, 10, (0, 12))).score < 0.2);
        assert!(measured(&stripes(200, 10, (248, 255))).score < 0.2);
    }

    #[test]
    fn a_score_grows_with_size_up_to_a_point() {
        let score = |side: u32| measured(&stripes(side, (side / 16).max(1), (60, 180))).score;
        assert!(score(24) < 0.5 && score(24) < score(48));
        assert!((score(160) - score(320)).abs() < 0.05);
    }
}
