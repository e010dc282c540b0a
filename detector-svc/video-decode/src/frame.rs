//! A decoded frame, still in the decoder's planes.

use facereel_domain::geometry::{PixelRect, Size};
use facereel_domain::shot::Thumbnail;
use facereel_domain::time::Pts;
use facereel_imaging::RgbImage;
use ffmpeg_next::frame;

use crate::error::DecodeError;
use crate::raw;
use crate::rotation::Rotation;
use crate::scaler::Scaler;
use crate::thumbnail;

/// A frame. Holds a reference to the decoder's planes, no copy; drop it before too many are held.
pub struct Frame {
    video: frame::Video,
    pts: Pts,
    rotation: Rotation,
}

impl Frame {
    /// When it is shown.
    #[must_use]
    pub fn pts(&self) -> Pts {
        self.pts
    }

    /// Its size as displayed.
    #[must_use]
    pub fn size(&self) -> Size {
        self.rotation.turned(self.coded_size())
    }

    /// The whole frame as displayed, at `out` pixels, straight from the planes. Pixels are averaged where it shrinks.
    pub fn scaled_rgb(&self, scaler: &mut Scaler, out: Size) -> Result<RgbImage, DecodeError> {
        let all = PixelRect { x: 0, y: 0, width: self.video.width(), height: self.video.height() };
        let coded = scaler.convert(&self.video, all, self.rotation.turned(out))?;
        Ok(self.rotation.apply(coded))
    }

    /// `rect` (in displayed pixels, cut to the frame) at `out` pixels; only these pixels are converted.
    pub fn crop_rgb(&self, scaler: &mut Scaler, rect: PixelRect, out: Size) -> Result<RgbImage, DecodeError> {
        let rect = inside(rect, self.size());
        let coded_rect = self.rotation.coded_rect(rect, self.size());
        let coded = scaler.convert(&self.video, coded_rect, self.rotation.turned(out))?;
        Ok(self.rotation.apply(coded))
    }

    /// Block means of the frame as it is coded (a turned video's thumbnails lie on their side, all alike).
    pub fn thumbnail(&self, scaler: &mut Scaler) -> Result<Thumbnail, DecodeError> {
        thumbnail::of(&self.video, scaler)
    }

    /// The bytes of all rows of all planes without padding, to compare frames with.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.video.planes()).flat_map(|plane| {
            let bytes = raw::row_bytes(&self.video, plane);
            let rows = self.video.data(plane).chunks(self.video.stride(plane).max(1));
            rows.map(move |row| &row[..bytes.min(row.len())])
        })
    }

    pub(crate) fn new(video: frame::Video, pts: Pts, rotation: Rotation) -> Self {
        Self { video, pts, rotation }
    }

    fn coded_size(&self) -> Size {
        Size { width: self.video.width(), height: self.video.height() }
    }
}

/// `rect` cut to a frame of `size`, with at least one pixel.
fn inside(rect: PixelRect, size: Size) -> PixelRect {
    let x = rect.x.min(size.width - 1);
    let y = rect.y.min(size.height - 1);
    let width = rect.width.clamp(1, size.width - x);
    let height = rect.height.clamp(1, size.height - y);
    PixelRect { x, y, width, height }
}
