//! The camera: on a tripod, or in somebody's hands.

use crate::path::wave;

/// How far a hand-held camera strays to each side, as a fraction of the frame's height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shake(pub(crate) f64);

impl Shake {
    /// A camera on a tripod.
    pub(crate) const NONE: Self = Self(0.0);

    /// Whole pixels by which everything is moved to the right and down, in a frame of `height`. Two waves a side with
    /// periods that share no multiple: it does not look like a pendulum.
    pub(crate) fn shift_px(self, t_sec: f64, height: u32) -> [i32; 2] {
        let reach = self.0 * f64::from(height);
        let stray = |slow: f64, fast: f64| {
            let sum = 0.7 * wave(t_sec / slow) + 0.3 * wave(t_sec / fast + 0.4);
            (reach * sum).round() as i32
        };
        [stray(0.83, 0.29), stray(1.07, 0.23)]
    }
}

/// A picture of rows of `width` RGB pixels, moved by so many pixels to the right and down; what comes in at the edges
/// repeats the edge.
pub(crate) fn moved(rgb: &[u8], width: usize, [right, down]: [i32; 2]) -> Vec<u8> {
    if [right, down] == [0, 0] || rgb.is_empty() {
        return rgb.to_vec();
    }
    let height = rgb.len() / (3 * width);
    let from = |to: usize, shift: i32, length: usize| {
        (to as i64 - i64::from(shift)).clamp(0, length as i64 - 1) as usize
    };
    let mut out = Vec::with_capacity(rgb.len());
    for row in 0..height {
        let line = 3 * width * from(row, down, height);
        for column in 0..width {
            let at = line + 3 * from(column, right, width);
            out.extend_from_slice(&rgb[at..at + 3]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_strays_within_its_reach_and_a_tripod_not_at_all() {
        let shifts: Vec<[i32; 2]> = (0..96).map(|i| Shake(0.02).shift_px(f64::from(i) / 24.0, 720)).collect();
        let farthest = shifts.iter().flatten().map(|px| px.abs()).max().unwrap();
        assert!((10..=15).contains(&farthest), "{farthest} px of at most 14.4");
        assert!((0..96).all(|i| Shake::NONE.shift_px(f64::from(i) / 24.0, 720) == [0, 0]));
    }

    #[test]
    fn a_moved_picture_keeps_its_pixels_and_repeats_its_edge() {
        let [a, b, c, d] = [[1; 3], [2; 3], [3; 3], [4; 3]];
        let picture = [a, b, c, d].concat();
        assert_eq!(moved(&picture, 2, [1, 0]), [a, a, c, c].concat());
        assert_eq!(moved(&picture, 2, [0, -1]), [c, d, c, d].concat());
    }
}
