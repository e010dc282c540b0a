//! A head cut out of a photo, ready to be shown at any size.
//!
//! The pixels are kept as a pyramid: each level twice as fine as the next. A head is sampled from the level that is just
//! finer than what the frame needs, so that bilinear sampling neither aliases nor looks blocky. Finer levels than the
//! photo are interpolated (Catmull-Rom) and sharpened a little; they are made when first needed.

use std::collections::BTreeMap;

use facereel_imaging::RgbImage;

use crate::cast::FacePhoto;

/// Coarsest and finest level: photo pixels times 2^level.
const LEVELS: [i32; 2] = [-4, 3];

/// A person's head from one photo.
pub(crate) struct Cutout {
    /// Photo pixel at the upper left corner of every level.
    origin: [f64; 2],
    levels: BTreeMap<i32, Level>,
    /// Mean colour of the cheeks: the neck's.
    pub(crate) skin: [f32; 3],
}

/// RGB pixels, `scale` to one of the photo.
pub(crate) struct Level {
    width: usize,
    height: usize,
    rgb: Vec<[f32; 3]>,
    origin: [f64; 2],
    scale: f64,
}

impl Cutout {
    /// Cuts the head of `person` out of its photo; where the oval leaves the photo, the photo's rim goes on.
    pub(crate) fn new(person: &FacePhoto, photo: &RgbImage) -> Self {
        let [ox, oy, rx, ry] = person.oval;
        let origin = [(ox - rx).floor() - 2.0, (oy - ry).floor() - 2.0];
        let (width, height) = (2 * rx.ceil() as usize + 4, 2 * ry.ceil() as usize + 4);
        let limit = [i64::from(photo.size().width) - 1, i64::from(photo.size().height) - 1];
        let at = |x: i64, y: i64| {
            let (x, y) = (x.clamp(0, limit[0]) as usize, y.clamp(0, limit[1]) as usize);
            let i = 3 * (y * photo.size().width as usize + x);
            [photo.data()[i], photo.data()[i + 1], photo.data()[i + 2]].map(f32::from)
        };
        let rgb = (0..width * height)
            .map(|i| at(origin[0] as i64 + (i % width) as i64, origin[1] as i64 + (i / width) as i64))
            .collect();
        let level = Level { width, height, rgb, origin, scale: 1.0 };
        let skin = cheek_color(person, &level);
        Self { origin, levels: BTreeMap::from([(0, level)]), skin }
    }

    /// The level to show the photo at `scale` frame pixels to one of the photo.
    pub(crate) fn level_for(&mut self, scale: f64) -> &Level {
        let [coarsest, finest] = LEVELS;
        let fits = |n: &i32| (2.0_f64).powi(*n) >= scale;
        self.level((coarsest..finest).find(fits).unwrap_or(finest))
    }

    fn level(&mut self, n: i32) -> &Level {
        if !self.levels.contains_key(&n) {
            let made = if n > 0 { self.level(n - 1).doubled() } else { self.level(n + 1).halved() };
            self.levels.insert(n, Level { origin: self.origin, ..made });
        }
        &self.levels[&n]
    }
}

impl Level {
    /// The colour at a point of the photo, bilinear.
    pub(crate) fn sample(&self, [px, py]: [f64; 2]) -> [f32; 3] {
        let x = ((px - self.origin[0]) * self.scale - 0.5).clamp(0.0, (self.width - 1) as f64);
        let y = ((py - self.origin[1]) * self.scale - 0.5).clamp(0.0, (self.height - 1) as f64);
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (u, v) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let row = |y: usize| {
            let (a, b) = (self.rgb[y * self.width + left], self.rgb[y * self.width + right]);
            [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * u)
        };
        let (a, b) = (row(top), row(below));
        [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * v)
    }

    /// Half as fine: means of 2x2 pixels.
    fn halved(&self) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let rgb = pixels(width, height, |x, y| {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| self.clamped(2 * x + i, 2 * y + j));
            [0, 1, 2].map(|c| four.iter().map(|p| p[c]).sum::<f32>() / 4.0)
        });
        Self { width, height, rgb, origin: self.origin, scale: self.scale / 2.0 }
    }

    /// Twice as fine: Catmull-Rom across, then down, then sharpened.
    fn doubled(&self) -> Self {
        let mix = |taps: [[f32; 3]; 4]| [0, 1, 2].map(|c| (0..4).map(|i| PHASE[i] * taps[i][c]).sum());
        let (width, height) = (2 * self.width, 2 * self.height);
        let across = pixels(width, self.height, |x, y| {
            mix(taps_of(x).map(|i| self.clamped(i.clamp(0, self.width as i64 - 1), y)))
        });
        let wide = Self { width, height: self.height, rgb: across, origin: self.origin, scale: self.scale };
        let rgb = pixels(width, height, |x, y| {
            mix(taps_of(y).map(|i| wide.clamped(x, i.clamp(0, self.height as i64 - 1))))
        });
        Self { width, height, rgb, origin: self.origin, scale: 2.0 * self.scale }.sharpened()
    }

    /// Each pixel pushed away from the mean of its four neighbours.
    fn sharpened(&self) -> Self {
        let rgb = pixels(self.width, self.height, |x, y| {
            let around = [(1, 0), (-1, 0), (0, 1), (0, -1)].map(|(i, j)| self.clamped(x + i, y + j));
            let here = self.clamped(x, y);
            [0, 1, 2].map(|c| {
                let mean = around.iter().map(|p| p[c]).sum::<f32>() / 4.0;
                (here[c] + SHARPENING * (here[c] - mean)).clamp(0.0, 255.0)
            })
        });
        Self { rgb, ..*self }
    }

    fn clamped(&self, x: i64, y: i64) -> [f32; 3] {
        let x = x.clamp(0, self.width as i64 - 1) as usize;
        let y = y.clamp(0, self.height as i64 - 1) as usize;
        self.rgb[y * self.width + x]
    }
}

const SHARPENING: f32 = 0.8;

/// Catmull-Rom weights a quarter of a pixel after the second tap.
const PHASE: [f32; 4] = [-0.070_312_5, 0.867_187_5, 0.226_562_5, -0.023_437_5];

/// The four pixels that a pixel of twice the resolution is mixed from, in the order of [`PHASE`].
fn taps_of(fine: i64) -> [i64; 4] {
    let near = fine / 2;
    if fine % 2 == 0 { [near + 1, near, near - 1, near - 2] } else { [near - 1, near, near + 1, near + 2] }
}

fn pixels(width: usize, height: usize, color: impl Fn(i64, i64) -> [f32; 3]) -> Vec<[f32; 3]> {
    (0..width * height).map(|i| color((i % width) as i64, (i / width) as i64)).collect()
}

/// The colour between the nose and the mouth corners, left and right.
fn cheek_color(person: &FacePhoto, level: &Level) -> [f32; 3] {
    let [_, _, nose, mouth_l, mouth_r] = person.landmarks;
    let between =
        |a: [f64; 2], b: [f64; 2]| level.sample([f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])]);
    let (left, right) = (between(nose, mouth_l), between(nose, mouth_r));
    [0, 1, 2].map(|c| f32::midpoint(left[c], right[c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_and_coarser_levels_show_the_same_ramp() {
        let rgb = pixels(32, 32, |x, _| [x as f32 * 4.0 + 2.0; 3]);
        let ramp = Level { width: 32, height: 32, rgb, origin: [0.0, 0.0], scale: 1.0 };
        for level in [ramp.halved(), ramp.doubled(), ramp.doubled().doubled()] {
            let seen = level.sample([16.0, 16.0])[0];
            assert!((seen - 64.0).abs() < 0.51, "{seen} at scale {}", level.scale);
        }
    }
}
