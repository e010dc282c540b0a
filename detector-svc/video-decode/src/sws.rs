//! swscale contexts. ffmpeg-next's wrapper can't be sent to another thread, sets no colour space and converts whole frames
//! only.
#![allow(unsafe_code, reason = "swscale reads planes by pointer; rectangles are pointers into them")]

use std::ptr::{self, NonNull};

use facereel_domain::geometry::{PixelRect, Size};
use ffmpeg_next::{ffi, format, frame};

use crate::raw::PixelLayout;

/// What a context is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conversion {
    pub(crate) format: format::Pixel,
    pub(crate) from: Size,
    pub(crate) to: Size,
    /// One of swscale's `SWS_CS_*`.
    pub(crate) matrix: i32,
    pub(crate) range: Range,
    pub(crate) into: Target,
}

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Packed red, green and blue, full range.
    Rgb,
    /// [`SHRUNK_FORMAT`] in the source's own matrix and range.
    Planes,
}

/// The format of frames that are made smaller before they are converted.
pub(crate) const SHRUNK_FORMAT: format::Pixel = format::Pixel::YUV420P;

/// Whether black is 0 or 16 (of 255).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    Limited,
    Full,
}

/// Rows of RGB that swscale may write to: aligned, and padded where its vector code writes past the end of rows.
#[derive(Debug, Default)]
pub(crate) struct RgbRows {
    bytes: Vec<u8>,
    start: usize,
    stride: usize,
}

const ALIGN: usize = 64;

impl RgbRows {
    fn fit(&mut self, size: Size) {
        self.stride = (3 * size.width as usize).next_multiple_of(ALIGN) + ALIGN;
        let needed = self.stride * (size.height as usize + 1) + ALIGN;
        if self.bytes.len() < needed {
            self.bytes = vec![0; needed];
        }
        self.start = self.bytes.as_ptr().align_offset(ALIGN).min(ALIGN);
    }

    /// The first `3 x columns` bytes from pixel (`x`, `y`) on.
    pub(crate) fn row(&self, x: u32, y: u32, columns: u32) -> &[u8] {
        let at = self.start + self.stride * y as usize + 3 * x as usize;
        &self.bytes[at..at + 3 * columns as usize]
    }
}

/// A swscale context.
pub(crate) struct Converter {
    context: NonNull<ffi::SwsContext>,
    conversion: Conversion,
}

// SAFETY: a context is plain memory without ties to a thread, and is only used through `&mut self`.
unsafe impl Send for Converter {}

impl Converter {
    /// `None` where swscale can't read the format or there is no memory.
    pub(crate) fn new(conversion: Conversion) -> Option<Self> {
        let Conversion { format, from, to, matrix, range, into } = conversion;
        let shrinks = to.width <= from.width && to.height <= from.height;
        let (out, keeps_range) = match into {
            Target::Rgb => (format::Pixel::RGB24, false),
            Target::Planes => (SHRUNK_FORMAT, true),
        };
        let flags = if shrinks && to != from { ffi::SWS_AREA } else { ffi::SWS_BILINEAR };
        // SAFETY: plain numbers and null filters, as swscale documents; coefficient tables are static.
        unsafe {
            let context = NonNull::new(ffi::sws_getContext(
                from.width as i32,
                from.height as i32,
                format.into(),
                to.width as i32,
                to.height as i32,
                out.into(),
                flags,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            ))?;
            let table = ffi::sws_getCoefficients(matrix);
            let full = i32::from(range == Range::Full);
            // Fails for formats that have no colour matrix, which then need none.
            let out_full = if keeps_range { full } else { 1 };
            ffi::sws_setColorspaceDetails(
                context.as_ptr(),
                table,
                full,
                table,
                out_full,
                0,
                1 << 16,
                1 << 16,
            );
            Some(Self { context, conversion })
        }
    }

    pub(crate) fn is_for(&self, conversion: &Conversion) -> bool {
        self.conversion == *conversion
    }

    /// Converts `rect` of `video` into `rows`; `false` where swscale fails or the context is for something else.
    ///
    /// `rect` must lie inside the frame, and its corner on a chroma sample.
    pub(crate) fn run(
        &mut self,
        video: &frame::Video,
        layout: &PixelLayout,
        rect: PixelRect,
        rows: &mut RgbRows,
    ) -> bool {
        if self.conversion.into != Target::Rgb {
            return false;
        }
        rows.fit(self.conversion.to);
        // SAFETY: `rows` was fitted to the output's size just now.
        unsafe {
            let out = rows.bytes.as_mut_ptr().add(rows.start);
            let planes = [out, ptr::null_mut(), ptr::null_mut(), ptr::null_mut()];
            self.scale(video, layout, rect, (planes, [rows.stride as i32, 0, 0, 0]))
        }
    }

    /// Makes all of `video` into `out`, which is made anew where it does not fit; `false` as for [`Self::run`].
    pub(crate) fn shrink(
        &mut self,
        video: &frame::Video,
        layout: &PixelLayout,
        out: &mut frame::Video,
    ) -> bool {
        let Conversion { to, into, .. } = self.conversion;
        if into != Target::Planes {
            return false;
        }
        if (out.format(), out.width(), out.height()) != (SHRUNK_FORMAT, to.width, to.height) {
            *out = frame::Video::new(SHRUNK_FORMAT, to.width, to.height);
        }
        let whole = PixelRect { x: 0, y: 0, width: video.width(), height: video.height() };
        // SAFETY: `out` has the output's format and size, and is borrowed mutably; its planes are its own.
        unsafe {
            let raw = &*out.as_ptr();
            let [a, b, c, d, ..] = raw.data;
            let [k, l, m, n, ..] = raw.linesize;
            !a.is_null() && self.scale(video, layout, whole, ([a, b, c, d], [k, l, m, n]))
        }
    }

    /// Runs swscale on `rect` of `video`; `false` where it fails or the context is for something else.
    ///
    /// # Safety
    /// The planes of `out` must hold a picture of this context's output format and size, at these bytes a row.
    unsafe fn scale(
        &mut self,
        video: &frame::Video,
        layout: &PixelLayout,
        rect: PixelRect,
        (out, out_strides): ([*mut u8; 4], [i32; 4]),
    ) -> bool {
        let Conversion { format, from, to, .. } = self.conversion;
        let is_inside = rect.x + rect.width <= video.width() && rect.y + rect.height <= video.height();
        let is_whole = rect.x == 0 && rect.y == 0;
        if video.format() != format
            || (rect.width, rect.height) != (from.width, from.height)
            || !is_inside
            || !(is_whole || layout.is_plain)
        {
            return false;
        }
        // SAFETY: the frame is borrowed, so its planes live; the rectangle lies inside of it and the layout is the format's,
        // so the moved pointers stay inside the planes and `from` rows follow each; the caller vouches for `out`.
        unsafe {
            let raw = &*video.as_ptr();
            let mut planes = [ptr::null::<u8>(); 4];
            for (index, plane) in planes.iter_mut().enumerate() {
                let data = raw.data[index];
                if !data.is_null() {
                    *plane = data.offset(plane_offset(layout, index, rect, raw.linesize[index]));
                }
            }
            let strides = [raw.linesize[0], raw.linesize[1], raw.linesize[2], raw.linesize[3]];
            let height = ffi::sws_scale(
                self.context.as_ptr(),
                planes.as_ptr(),
                strides.as_ptr(),
                0,
                from.height as i32,
                out.as_ptr(),
                out_strides.as_ptr(),
            );
            height == to.height as i32
        }
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: the context came from `sws_getContext` and is freed once.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) }
    }
}

/// Bytes from a plane's first sample to the one at the rectangle's corner.
fn plane_offset(layout: &PixelLayout, plane: usize, rect: PixelRect, linesize: i32) -> isize {
    let Some((index, component)) = layout.components.iter().enumerate().find(|(_, c)| c.plane == plane)
    else {
        return 0;
    };
    let is_chroma = !layout.is_rgb && (index == 1 || index == 2);
    let (across, down) = if is_chroma { layout.chroma_shift } else { (0, 0) };
    let row = (rect.y >> down) as isize * linesize as isize;
    row + (rect.x >> across) as isize * component.step as isize
}
