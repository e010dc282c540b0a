//! Frames and parts of frames as RGB.

use std::mem;

use facereel_domain::geometry::{PixelRect, Size};
use facereel_imaging::RgbImage;
use ffmpeg_next::{color, ffi, frame};

use crate::area;
use crate::error::{DecodeError, ErrorKind};
use crate::raw::{self, PixelLayout};
use crate::sws::{Conversion, Converter, Range, RgbRows, SHRUNK_FORMAT, Target};

/// Converters that are kept. Setting one up costs more than using it on a face.
const KEPT: usize = 16;
/// Rectangles are widened to multiples of this, so that faces of many sizes share few converters.
const GRAIN_PX: u32 = 64;

/// Pixels around a rectangle that are converted too: chroma between samples is interpolated from both sides.
const MARGIN_PX: u32 = 4;

/// Converts frames; one per thread, for any number of videos. Keeps what swscale needs to set up.
pub struct Scaler {
    /// The most recently used first.
    converters: Vec<Converter>,
    rows: RgbRows,
    shrunk: frame::Video,
}

impl Default for Scaler {
    fn default() -> Self {
        Self { converters: Vec::new(), rows: RgbRows::default(), shrunk: frame::Video::empty() }
    }
}

impl Scaler {
    /// A scaler with nothing set up yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `rect` (in coded pixels, inside the frame) at `out` pixels.
    ///
    /// The whole frame is first made smaller in its own colours and then converted, a third of the cost of doing both at
    /// once. A part of it is converted as it is, with what it takes to start on a chroma
    /// sample around it, cut out exactly, and then averaged down: no pixel outside of it has a say.
    pub(crate) fn convert(
        &mut self,
        video: &frame::Video,
        rect: PixelRect,
        out: Size,
    ) -> Result<RgbImage, DecodeError> {
        let Some(layout) = raw::pixel_layout(video.format()) else {
            return Err(failed("the frame has no pixel format"));
        };
        let whole = PixelRect { x: 0, y: 0, width: video.width(), height: video.height() };
        let colours = Colours { matrix: matrix(video), range: range(video, &layout) };
        if rect == whole {
            self.whole(video, &layout, colours, out)?;
            return cut(&self.rows, PixelRect { x: 0, y: 0, width: out.width, height: out.height });
        }
        let around = if layout.is_plain { widened(rect, whole, &layout) } else { whole };
        self.run((video, &layout), around, colours, Size { width: around.width, height: around.height })?;
        let exact = PixelRect { x: rect.x - around.x, y: rect.y - around.y, ..rect };
        let image = cut(&self.rows, exact)?;
        if image.size() == out {
            Ok(image)
        } else {
            area::resized(&image, out).map_err(|e| failed(e.to_string()))
        }
    }

    fn whole(
        &mut self,
        video: &frame::Video,
        layout: &PixelLayout,
        colours: Colours,
        out: Size,
    ) -> Result<(), DecodeError> {
        let all = |size: Size| PixelRect { x: 0, y: 0, width: size.width, height: size.height };
        let from = Size { width: video.width(), height: video.height() };
        let shrinks = out != from && out.width <= from.width && out.height <= from.height;
        if !shrinks || layout.is_rgb || layout.components.len() < 3 {
            return self.run((video, layout), all(from), colours, out);
        }
        let Some(shrunk_layout) = raw::pixel_layout(SHRUNK_FORMAT) else {
            return Err(failed("FFmpeg does not know its own pixel formats"));
        };
        let Colours { matrix, range } = colours;
        let into = Target::Planes;
        self.bring_up(Conversion { format: video.format(), from, to: out, matrix, range, into }, layout)?;
        if !self.converters[0].shrink(video, layout, &mut self.shrunk) {
            return Err(failed(format!("{} can't be made smaller", layout.name)));
        }
        let shrunk = mem::replace(&mut self.shrunk, frame::Video::empty());
        let result = self.run((&shrunk, &shrunk_layout), all(out), colours, out);
        self.shrunk = shrunk;
        result
    }

    fn run(
        &mut self,
        (video, layout): (&frame::Video, &PixelLayout),
        rect: PixelRect,
        Colours { matrix, range }: Colours,
        to: Size,
    ) -> Result<(), DecodeError> {
        let from = Size { width: rect.width, height: rect.height };
        let into = Target::Rgb;
        self.bring_up(Conversion { format: video.format(), from, to, matrix, range, into }, layout)?;
        if self.converters[0].run(video, layout, rect, &mut self.rows) {
            Ok(())
        } else {
            Err(failed(format!("{} can't be converted", layout.name)))
        }
    }

    /// Puts the converter for this first.
    fn bring_up(&mut self, conversion: Conversion, layout: &PixelLayout) -> Result<(), DecodeError> {
        let known = self.converters.iter().position(|c| c.is_for(&conversion));
        let index = match known {
            Some(index) => index,
            None => self.set_up(conversion, layout)?,
        };
        self.converters[..=index].rotate_right(1);
        Ok(())
    }

    /// Adds a converter in the place of the one unused for longest; gives its place.
    fn set_up(&mut self, conversion: Conversion, layout: &PixelLayout) -> Result<usize, DecodeError> {
        let Size { width, height } = conversion.from;
        let refused = || failed(format!("{} at {width}x{height} can't be converted", layout.name));
        self.converters.truncate(KEPT - 1);
        self.converters.push(Converter::new(conversion).ok_or_else(refused)?);
        Ok(self.converters.len() - 1)
    }
}

/// How a frame's samples stand for colours.
#[derive(Debug, Clone, Copy)]
struct Colours {
    /// One of swscale's `SWS_CS_*`.
    matrix: i32,
    range: Range,
}

/// How far a frame's black and white lie apart.
pub(crate) fn range(video: &frame::Video, layout: &PixelLayout) -> Range {
    let is_full = video.color_range() == color::Range::JPEG || layout.name.starts_with("yuvj");
    if is_full { Range::Full } else { Range::Limited }
}

/// The frame's matrix, where it states none that of HD (BT.709) or SD (BT.601) by its size.
fn matrix(video: &frame::Video) -> i32 {
    match video.color_space() {
        color::Space::BT709 => ffi::SWS_CS_ITU709,
        color::Space::FCC => ffi::SWS_CS_FCC,
        color::Space::BT470BG | color::Space::SMPTE170M => ffi::SWS_CS_ITU601,
        color::Space::SMPTE240M => ffi::SWS_CS_SMPTE240M,
        color::Space::BT2020NCL | color::Space::BT2020CL => ffi::SWS_CS_BT2020,
        _ if video.width() >= 1280 || video.height() >= 720 => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    }
}

/// The rectangle around `rect` with its margin that starts on a chroma sample and is a multiple of the grain, as far as the
/// frame goes.
fn widened(rect: PixelRect, whole: PixelRect, layout: &PixelLayout) -> PixelRect {
    let (across, down) = layout.chroma_shift;
    let (x, width) = widened_side(rect.x, rect.width, whole.width, across);
    let (y, height) = widened_side(rect.y, rect.height, whole.height, down);
    PixelRect { x, y, width, height }
}

/// Moves the start down to a chroma sample, and further where the widened side would leave the frame.
fn widened_side(start: u32, len: u32, limit: u32, chroma_shift: u32) -> (u32, u32) {
    let aligned = |at: u32| at >> chroma_shift << chroma_shift;
    let first = aligned(start.saturating_sub(MARGIN_PX));
    let wide = (start + len + MARGIN_PX - first).next_multiple_of(GRAIN_PX);
    if first + wide <= limit {
        return (first, wide);
    }
    let moved = aligned(limit.saturating_sub(wide));
    (moved, limit - moved)
}

fn cut(rows: &RgbRows, rect: PixelRect) -> Result<RgbImage, DecodeError> {
    let size = Size { width: rect.width, height: rect.height };
    let mut data = Vec::with_capacity(3 * rect.width as usize * rect.height as usize);
    for y in rect.y..rect.y + rect.height {
        data.extend_from_slice(rows.row(rect.x, y, rect.width));
    }
    RgbImage::new(size, data).map_err(|e| failed(e.to_string()))
}

fn failed(detail: impl Into<String>) -> DecodeError {
    DecodeError::new(ErrorKind::Ffmpeg, "frame").detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn widened_sides_hold_the_asked_pixels_and_stay_inside(limit in 1_u32..5000, a in 0.0_f64..1.0, b in 0.0_f64..1.0, shift in 0_u32..3) {
            let start = (a * f64::from(limit - 1)) as u32;
            let len = 1 + (b * f64::from(limit - start - 1)) as u32;
            let (first, wide) = widened_side(start, len, limit, shift);
            prop_assert!(first <= start && start + len <= first + wide, "{first} {wide}");
            prop_assert!(first + wide <= limit);
            prop_assert_eq!(first % (1 << shift), 0);
        }
    }
}
