//! Area averaging of RGB: each output pixel is the mean of the rectangle of input it covers, edges in part.

use facereel_domain::geometry::Size;
use facereel_imaging::{ImageError, RgbImage};

/// `image` at `out` pixels. Where a side grows, pixels repeat.
pub(crate) fn resized(image: &RgbImage, out: Size) -> Result<RgbImage, ImageError> {
    let from = image.size();
    let columns = spans(from.width, out.width);
    let rows = spans(from.height, out.height);
    let row_bytes = 3 * from.width as usize;
    let mut sums = vec![0.0_f32; row_bytes];
    let mut data = Vec::with_capacity(3 * out.width as usize * out.height as usize);
    for row in &rows {
        sums.fill(0.0);
        for (y, weight) in row.weights() {
            let source = &image.data()[y * row_bytes..(y + 1) * row_bytes];
            for (sum, byte) in sums.iter_mut().zip(source) {
                *sum += weight * f32::from(*byte);
            }
        }
        data.extend(columns.iter().flat_map(|column| column.mean(&sums)));
    }
    RgbImage::new(out, data)
}

/// The input pixels `first..=last` that an output pixel covers; the outer ones with a weight below the inner ones'.
struct Span {
    first: usize,
    last: usize,
    first_weight: f32,
    inner_weight: f32,
    last_weight: f32,
}

impl Span {
    /// The weighted sum of a row's RGB samples, rounded.
    fn mean(&self, row: &[f32]) -> [u8; 3] {
        let pixel = |x: usize| [row[3 * x], row[3 * x + 1], row[3 * x + 2]];
        let (first, last) = (pixel(self.first), pixel(self.last));
        let mut inner = [0.0_f32; 3];
        for x in row[3 * self.first..3 * self.last].chunks_exact(3).skip(1) {
            inner = [inner[0] + x[0], inner[1] + x[1], inner[2] + x[2]];
        }
        let mut mean = [0; 3];
        for (channel, value) in mean.iter_mut().enumerate() {
            let sum = self.first_weight * first[channel]
                + self.inner_weight * inner[channel]
                + self.last_weight * last[channel];
            *value = (sum + 0.5) as u8;
        }
        mean
    }

    /// Pixels and their weights, which add up to 1.
    fn weights(&self) -> impl Iterator<Item = (usize, f32)> {
        (self.first..=self.last).map(|i| {
            let weight = match i {
                _ if i == self.first => self.first_weight,
                _ if i == self.last => self.last_weight,
                _ => self.inner_weight,
            };
            (i, weight)
        })
    }
}

/// The spans of `to` output pixels over `from` input pixels.
fn spans(from: u32, to: u32) -> Vec<Span> {
    let scale = f64::from(from) / f64::from(to);
    let limit = from as usize - 1;
    let span = |i: u32| {
        let (start, end) = (f64::from(i) * scale, f64::from(i + 1) * scale);
        let first = (start as usize).min(limit);
        let last = ((end - 1e-9).max(start) as usize).min(limit).max(first);
        if first == last {
            return Span { first, last, first_weight: 1.0, inner_weight: 0.0, last_weight: 0.0 };
        }
        let share = |pixels: f64| (pixels / scale) as f32;
        Span {
            first,
            last,
            first_weight: share(first as f64 + 1.0 - start),
            inner_weight: share(1.0),
            last_weight: share(end - last as f64),
        }
    };
    (0..to).map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grey(size: Size, values: &[u8]) -> RgbImage {
        RgbImage::new(size, values.iter().flat_map(|v| [*v; 3]).collect()).unwrap()
    }

    #[test]
    fn pixels_are_means_of_what_they_cover() {
        let image = grey(Size { width: 4, height: 2 }, &[0, 100, 10, 30, 100, 200, 10, 30]);
        let small = resized(&image, Size { width: 2, height: 1 }).unwrap();
        assert_eq!(small, grey(Size { width: 2, height: 1 }, &[100, 20]));
        let thirds =
            resized(&grey(Size { width: 3, height: 1 }, &[0, 90, 30]), Size { width: 2, height: 1 }).unwrap();
        assert_eq!(thirds, grey(Size { width: 2, height: 1 }, &[30, 50]));
    }

    proptest! {
        #[test]
        fn plain_pictures_stay_as_they_are(w in 1_u32..80, h in 1_u32..80, ow in 1_u32..80, oh in 1_u32..80, v in 0_u8..=255) {
            let image = grey(Size { width: w, height: h }, &vec![v; (w * h) as usize]);
            let out = resized(&image, Size { width: ow, height: oh }).unwrap();
            prop_assert!(out.data().iter().all(|b| *b == v));
        }
    }
}
