//! Quarter turns between frames as they are coded and as they are displayed.

use facereel_domain::geometry::{PixelRect, Size};
use facereel_imaging::RgbImage;

/// How far a coded frame is turned clockwise to be displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    None,
    Cw90,
    Cw180,
    Cw270,
}

impl Rotation {
    /// The quarter turn nearest to `degrees` clockwise.
    pub(crate) fn nearest(degrees: f64) -> Self {
        match (degrees / 90.0).round().rem_euclid(4.0) as u8 {
            1 => Self::Cw90,
            2 => Self::Cw180,
            3 => Self::Cw270,
            _ => Self::None,
        }
    }

    /// The turn in a stream's display matrix (nine native 32-bit numbers, 16.16 fixed point); no turn where it is malformed.
    pub(crate) fn from_display_matrix(bytes: &[u8]) -> Self {
        let cell = |i: usize| {
            let raw = bytes.get(4 * i..4 * i + 4).and_then(|b| b.try_into().ok());
            raw.map_or(0.0, |b| f64::from(i32::from_ne_bytes(b)))
        };
        let (a, b) = (cell(0), cell(1));
        if a == 0.0 && b == 0.0 { Self::None } else { Self::nearest(b.atan2(a).to_degrees()) }
    }

    /// Degrees clockwise.
    pub(crate) fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Cw90 => 90,
            Self::Cw180 => 180,
            Self::Cw270 => 270,
        }
    }

    /// The size on the other side of the turn (the same in both directions).
    pub(crate) fn turned(self, size: Size) -> Size {
        match self {
            Self::None | Self::Cw180 => size,
            Self::Cw90 | Self::Cw270 => Size { width: size.height, height: size.width },
        }
    }

    /// The coded rectangle that shows as `rect` in a frame displayed at `displayed`.
    pub(crate) fn coded_rect(self, rect: PixelRect, displayed: Size) -> PixelRect {
        let PixelRect { x, y, width, height } = rect;
        let right = displayed.width - x - width;
        let below = displayed.height - y - height;
        match self {
            Self::None => rect,
            Self::Cw90 => PixelRect { x: y, y: right, width: height, height: width },
            Self::Cw180 => PixelRect { x: right, y: below, width, height },
            Self::Cw270 => PixelRect { x: below, y: x, width: height, height: width },
        }
    }

    /// A coded picture as it is displayed.
    pub(crate) fn apply(self, coded: RgbImage) -> RgbImage {
        if self == Self::None {
            return coded;
        }
        let from = coded.size();
        let to = self.turned(from);
        let mut data = Vec::with_capacity(coded.data().len());
        for y in 0..to.height {
            for x in 0..to.width {
                let (sx, sy) = match self {
                    Self::None => (x, y),
                    Self::Cw90 => (y, from.height - 1 - x),
                    Self::Cw180 => (from.width - 1 - x, from.height - 1 - y),
                    Self::Cw270 => (from.width - 1 - y, x),
                };
                let at = 3 * (sy as usize * from.width as usize + sx as usize);
                data.extend_from_slice(&coded.data()[at..at + 3]);
            }
        }
        // The turn moves every pixel once, so the bytes fit the turned size; the picture itself is the fallback.
        RgbImage::new(to, data).unwrap_or(coded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(size: Size) -> RgbImage {
        let data = (0..size.width * size.height).flat_map(|i| [i as u8; 3]).collect();
        RgbImage::new(size, data).unwrap()
    }

    fn cut(image: &RgbImage, rect: PixelRect) -> RgbImage {
        let mut data = Vec::new();
        for y in rect.y..rect.y + rect.height {
            let at = 3 * (y * image.size().width + rect.x) as usize;
            data.extend_from_slice(&image.data()[at..at + 3 * rect.width as usize]);
        }
        RgbImage::new(Size { width: rect.width, height: rect.height }, data).unwrap()
    }

    #[test]
    fn a_quarter_turn_clockwise_puts_the_left_column_on_top() {
        let turned = Rotation::Cw90.apply(numbered(Size { width: 2, height: 3 }));
        let shown: Vec<u8> = turned.data().chunks(3).map(|p| p[0]).collect();
        assert_eq!(turned.size(), Size { width: 3, height: 2 });
        assert_eq!(shown, [4, 2, 0, 5, 3, 1]);
    }

    #[test]
    fn cutting_then_turning_equals_turning_then_cutting() {
        let coded = numbered(Size { width: 11, height: 7 });
        for rotation in [Rotation::None, Rotation::Cw90, Rotation::Cw180, Rotation::Cw270] {
            let displayed = rotation.apply(coded.clone());
            let rect = PixelRect { x: 1, y: 2, width: 4, height: 3 };
            let direct = rotation.apply(cut(&coded, rotation.coded_rect(rect, displayed.size())));
            assert_eq!(direct, cut(&displayed, rect), "{rotation:?}");
        }
    }

    #[test]
    fn display_matrices_tell_the_turn() {
        let matrix = |m: [i32; 9]| m.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>();
        let one = 65_536;
        let quarter = matrix([0, one, 0, -one, 0, 0, 0, 0, 1 << 30]);
        let half = matrix([-one, 0, 0, 0, -one, 0, 0, 0, 1 << 30]);
        let three = matrix([0, -one, 0, one, 0, 0, 0, 0, 1 << 30]);
        assert_eq!(Rotation::from_display_matrix(&quarter), Rotation::Cw90);
        assert_eq!(Rotation::from_display_matrix(&half), Rotation::Cw180);
        assert_eq!(Rotation::from_display_matrix(&three), Rotation::Cw270);
        assert_eq!(Rotation::from_display_matrix(&[1, 2]), Rotation::None);
    }
}
