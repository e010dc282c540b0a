//! Five-point alignment: turns, scales and shifts a face so that its landmarks lie where embedders expect them.
//!
//! The transform is the least-squares similarity of Umeyama (1991), in two dimensions a closed form without a singular
//! value decomposition. The picture is sampled bilinearly, with black outside. A face much larger than the output is first
//! reduced by area average, since four neighbours of a sparse sample would alias.

use facereel_domain::geometry::{Landmarks, Point, Size};

use crate::{RgbImage, shrink};

/// Pixels a side of an aligned face.
pub const ALIGNED_SIDE: u32 = 112;

/// Where the landmarks of an aligned face lie: the template of ArcFace (Deng et al. 2019), which SFace shares.
pub const TEMPLATE: [Point; 5] = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// A rotation with uniform scale and a shift: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine of the rotation.
    pub a: f64,
    /// Scale times sine of the rotation.
    pub b: f64,
    /// Shift to the right.
    pub tx: f64,
    /// Shift down.
    pub ty: f64,
}

impl Similarity {
    /// Target pixels per source pixel.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// Where `point` goes.
    #[must_use]
    pub fn apply(&self, point: Point) -> Point {
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        Point { x: (self.a * x - self.b * y + self.tx) as f32, y: (self.b * x + self.a * y + self.ty) as f32 }
    }

    /// The way back. Every value that [`similarity`] returns has one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }
}

/// A face of [`ALIGNED_SIDE`] pixels a side with its landmarks near [`TEMPLATE`]: what embedders take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlignedFace(RgbImage);

impl AlignedFace {
    /// The pixels.
    #[must_use]
    pub fn image(&self) -> &RgbImage {
        &self.0
    }
}

/// The similarity that brings `source` closest to `target` in the least-squares sense; never a reflection. `None` where
/// the points fall together or are not finite.
#[must_use]
pub fn similarity(source: &Landmarks, target: &[Point; 5]) -> Option<Similarity> {
    let (from, to) = (centroid(&source.0), centroid(target));
    let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
    for (p, q) in source.0.iter().zip(target) {
        let (px, py) = (f64::from(p.x) - from.0, f64::from(p.y) - from.1);
        let (qx, qy) = (f64::from(q.x) - to.0, f64::from(q.y) - to.1);
        dot += px * qx + py * qy;
        cross += px * qy - py * qx;
        spread += px * px + py * py;
    }
    let (a, b) = (dot / spread, cross / spread);
    let square = a * a + b * b;
    (square.is_normal() && spread.is_normal()).then_some(Similarity {
        a,
        b,
        tx: to.0 - (a * from.0 - b * from.1),
        ty: to.1 - (b * from.0 + a * from.1),
    })
}

/// The face at `landmarks`, aligned; `None` where the landmarks have no extent. Parts outside of the image are black.
#[must_use]
pub fn align_face(image: &RgbImage, landmarks: &Landmarks) -> Option<AlignedFace> {
    let back = similarity(landmarks, &TEMPLATE)?.inverse();
    let factor = (back.scale() as u32).min(image.size().width.max(image.size().height));
    if factor < 2 {
        return Some(AlignedFace(warp(image, &back)));
    }
    // Pixel i of the reduced image is centred on source pixel `factor * i + (factor - 1) / 2`.
    let (scale, centre) = (f64::from(factor), f64::from(factor - 1) / 2.0);
    let reduced = Similarity {
        a: back.a / scale,
        b: back.b / scale,
        tx: (back.tx - centre) / scale,
        ty: (back.ty - centre) / scale,
    };
    Some(AlignedFace(warp(&shrink::by_area(image, factor), &reduced)))
}

fn centroid(points: &[Point; 5]) -> (f64, f64) {
    let sum = points.iter().fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
    (sum.0 / 5.0, sum.1 / 5.0)
}

/// The image as seen through `back`, which takes a target pixel to the source place that it shows.
fn warp(image: &RgbImage, back: &Similarity) -> RgbImage {
    let size = Size { width: ALIGNED_SIDE, height: ALIGNED_SIDE };
    let mut data = Vec::with_capacity((ALIGNED_SIDE * ALIGNED_SIDE * 3) as usize);
    for y in 0..ALIGNED_SIDE {
        for x in 0..ALIGNED_SIDE {
            let (x, y) = (f64::from(x), f64::from(y));
            let source_x = back.a * x - back.b * y + back.tx;
            let source_y = back.b * x + back.a * y + back.ty;
            data.extend(bilinear(image, source_x as f32, source_y as f32));
        }
    }
    RgbImage::new(size, data).unwrap_or_else(|_| unreachable!("a pixel was pushed per place"))
}

/// The colour between four pixels, where whole coordinates are pixel centres; pixels outside are black.
fn bilinear(image: &RgbImage, x: f32, y: f32) -> [u8; 3] {
    let Size { width, height } = image.size();
    if !(x > -1.0 && y > -1.0 && x < width as f32 && y < height as f32) {
        return [0; 3];
    }
    let (left, top) = (x.floor(), y.floor());
    let (u, v) = (x - left, y - top);
    let (left, top) = (left as i64, top as i64);
    let mut sum = [0.0_f32; 3];
    for (dx, dy, weight) in
        [(0, 0, (1.0 - u) * (1.0 - v)), (1, 0, u * (1.0 - v)), (0, 1, (1.0 - u) * v), (1, 1, u * v)]
    {
        let (px, py) = (left + dx, top + dy);
        if px < 0 || py < 0 || px >= i64::from(width) || py >= i64::from(height) {
            continue;
        }
        let offset = (py as usize * width as usize + px as usize) * 3;
        for (total, value) in sum.iter_mut().zip(&image.data()[offset..offset + 3]) {
            *total += weight * f32::from(*value);
        }
    }
    sum.map(|v| (v + 0.5) as u8)
}

#[cfg(test)]
mod tests;
