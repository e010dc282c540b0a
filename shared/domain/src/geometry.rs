//! Boxes, points and landmarks in pixels.

use serde::{Deserialize, Serialize};

/// A box that is no box.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BoxError {
    /// A coordinate is NaN or infinite.
    #[error("a box coordinate is not a finite number")]
    NotFinite,
    /// The right edge is not right of the left one, or the lower not below the upper.
    #[error("a box has no area")]
    Empty,
    /// Nothing of the box lies inside the frame.
    #[error("a box lies outside of the frame")]
    Outside,
}

/// A point: x to the right, y down, in pixels; (0, 0) is the upper left corner of the upper left pixel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the upper edge.
    pub y: f32,
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}

/// Width and height in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A face's box: finite, with an area, `x0 < x1` and `y0 < y1`. The only box type; its constructors are the only
/// validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f32; 4]", into = "[f32; 4]")]
pub struct BBox {
    x0: f32,
    y0: f32,
    x1: f32,
    y1: f32,
}

impl BBox {
    /// A box from its corners `[x0, y0, x1, y1]`.
    pub fn from_xyxy([x0, y0, x1, y1]: [f32; 4]) -> Result<Self, BoxError> {
        if ![x0, y0, x1, y1].iter().all(|v| v.is_finite()) {
            return Err(BoxError::NotFinite);
        }
        if x1 <= x0 || y1 <= y0 || !((x1 - x0) * (y1 - y0)).is_normal() {
            return Err(BoxError::Empty);
        }
        Ok(Self { x0, y0, x1, y1 })
    }

    /// A box from its corners, cut to the frame; refused where less than a pixel of either side is left.
    pub fn from_xyxy_in(corners: [f32; 4], frame: Size) -> Result<Self, BoxError> {
        let Self { x0, y0, x1, y1 } = Self::from_xyxy(corners)?;
        let (w, h) = (frame.width as f32, frame.height as f32);
        let cut = [x0.clamp(0.0, w), y0.clamp(0.0, h), x1.clamp(0.0, w), y1.clamp(0.0, h)];
        if cut[2] - cut[0] < 1.0 || cut[3] - cut[1] < 1.0 {
            return Err(BoxError::Outside);
        }
        Self::from_xyxy(cut)
    }

    /// Corners `[x0, y0, x1, y1]`.
    #[must_use]
    pub fn xyxy(&self) -> [f32; 4] {
        [self.x0, self.y0, self.x1, self.y1]
    }

    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.x1 - self.x0
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> f32 {
        self.y1 - self.y0
    }

    /// The middle.
    #[must_use]
    pub fn center(&self) -> Point {
        Point { x: f32::midpoint(self.x0, self.x1), y: f32::midpoint(self.y0, self.y1) }
    }

    /// Area in square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The shorter side: what size limits compare.
    #[must_use]
    pub fn short_side(&self) -> f32 {
        self.width().min(self.height())
    }

    /// Intersection over union with another box, 0..=1.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let w = self.x1.min(other.x1) - self.x0.max(other.x0);
        let h = self.y1.min(other.y1) - self.y0.max(other.y0);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let inter = w * h;
        inter / (self.area() + other.area() - inter)
    }

    /// The box with `margin` times its width (height) added on the left and right (above and below); may leave the frame.
    #[must_use]
    pub fn expanded(&self, margin: f32) -> Self {
        let (dx, dy) = (self.width() * margin, self.height() * margin);
        Self { x0: self.x0 - dx, y0: self.y0 - dy, x1: self.x1 + dx, y1: self.y1 + dy }
    }
}

impl TryFrom<[f32; 4]> for BBox {
    type Error = BoxError;

    fn try_from(corners: [f32; 4]) -> Result<Self, BoxError> {
        Self::from_xyxy(corners)
    }
}

impl From<BBox> for [f32; 4] {
    fn from(b: BBox) -> Self {
        b.xyxy()
    }
}

/// Five points of a face as the image shows them: left eye, right eye, nose tip, left mouth corner, right mouth corner
/// ("left" is the image's left).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Landmarks(pub [Point; 5]);

impl Landmarks {
    /// The points shifted by `(dx, dy)` and then scaled by `scale`: from one image's pixels into a crop's.
    #[must_use]
    pub fn mapped(&self, dx: f32, dy: f32, scale: f32) -> Self {
        Self(self.0.map(|p| Point { x: (p.x + dx) * scale, y: (p.y + dy) * scale }))
    }

    /// Whether every coordinate is a finite number.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.0.iter().all(|p| p.x.is_finite() && p.y.is_finite())
    }
}

/// A rectangle of whole pixels inside an image: what is cut out of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelRect {
    /// Left column.
    pub x: u32,
    /// Upper row.
    pub y: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

impl PixelRect {
    /// The smallest rectangle of whole pixels that holds `bbox`, cut to the frame; `None` where nothing is left.
    #[must_use]
    pub fn covering(bbox: &BBox, frame: Size) -> Option<Self> {
        let [x0, y0, x1, y1] = bbox.xyxy();
        let x = x0.floor().clamp(0.0, frame.width as f32) as u32;
        let y = y0.floor().clamp(0.0, frame.height as f32) as u32;
        let right = x1.ceil().clamp(0.0, frame.width as f32) as u32;
        let below = y1.ceil().clamp(0.0, frame.height as f32) as u32;
        (right > x && below > y).then(|| Self { x, y, width: right - x, height: below - y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: Size = Size { width: 1920, height: 1080 };

    #[test]
    fn what_is_no_box_is_refused() {
        assert_eq!(BBox::from_xyxy([f32::NAN, 0.0, 1.0, 1.0]), Err(BoxError::NotFinite));
        assert_eq!(BBox::from_xyxy([0.0, 0.0, f32::INFINITY, 1.0]), Err(BoxError::NotFinite));
        assert_eq!(BBox::from_xyxy([5.0, 0.0, 1.0, 1.0]), Err(BoxError::Empty));
        assert_eq!(BBox::from_xyxy([5.0, 1.0, 5.0, 2.0]), Err(BoxError::Empty));
        assert_eq!(BBox::from_xyxy_in([-50.0, 0.0, -1.0, 9.0], FRAME), Err(BoxError::Outside));
        assert_eq!(BBox::from_xyxy_in([1919.5, 0.0, 1990.0, 9.0], FRAME), Err(BoxError::Outside));
    }

    #[test]
    fn iou_of_known_boxes() {
        let a = BBox::from_xyxy([0.0, 0.0, 10.0, 10.0]).unwrap();
        let b = BBox::from_xyxy([5.0, 0.0, 15.0, 10.0]).unwrap();
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert!((a.iou(&a) - 1.0).abs() < f32::EPSILON);
    }

    fn any_coordinate() -> impl Strategy<Value = f32> {
        prop_oneof![any::<f32>(), -3000.0_f32..3000.0]
    }

    proptest! {
        /// One validation for every box: whatever comes in, what comes out is inside the frame and has an area.
        #[test]
        fn a_box_in_a_frame_is_finite_upright_and_inside(c in proptest::array::uniform4(any_coordinate())) {
            if let Ok(b) = BBox::from_xyxy_in(c, FRAME) {
                let [x0, y0, x1, y1] = b.xyxy();
                prop_assert!(x0 >= 0.0 && y0 >= 0.0 && x1 <= 1920.0 && y1 <= 1080.0);
                prop_assert!(x1 - x0 >= 1.0 && y1 - y0 >= 1.0);
                prop_assert!(b.area().is_finite() && b.iou(&b) > 0.99);
                prop_assert!(PixelRect::covering(&b, FRAME).is_some());
            }
        }

        #[test]
        fn iou_is_symmetric_and_bounded(
            a in proptest::array::uniform4(any_coordinate()),
            b in proptest::array::uniform4(any_coordinate()),
        ) {
            if let (Ok(a), Ok(b)) = (BBox::from_xyxy_in(a, FRAME), BBox::from_xyxy_in(b, FRAME)) {
                let iou = a.iou(&b);
                prop_assert!((0.0..=1.0 + 1e-5).contains(&iou));
                prop_assert!((iou - b.iou(&a)).abs() < 1e-6);
            }
        }
    }
}
