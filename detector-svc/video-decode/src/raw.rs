//! What ffmpeg-next has no safe call for: stream discard, stream seek, packet and parameter fields, pixel layouts.
#![allow(unsafe_code, reason = "reads and sets plain fields of FFmpeg structures that the safe wrappers own")]

use ffmpeg_next::codec::packet::Ref;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, Stream, ffi, format, frame};

/// Tells the demuxer that only `keep` is read: packets of other streams are skipped where the container allows.
pub(crate) fn discard_all_but(input: &mut Input, keep: usize) {
    for index in (0..input.nb_streams() as usize).filter(|i| *i != keep) {
        if let Some(mut stream) = input.stream_mut(index) {
            // SAFETY: the pointer is that of a live stream of `input`, which is borrowed mutably.
            unsafe { (*stream.as_mut_ptr()).discard = ffi::AVDiscard::AVDISCARD_ALL };
        }
    }
}

/// Seeks `stream` to a keyframe at or before `ts` (in its time base); `false` where the demuxer can't.
pub(crate) fn seek_back(input: &mut Input, stream: usize, ts: i64) -> bool {
    // SAFETY: the context is live and borrowed mutably; `stream` is one of its streams (FFmpeg checks the index).
    unsafe { ffi::av_seek_frame(input.as_mut_ptr(), stream as i32, ts, ffi::AVSEEK_FLAG_BACKWARD) >= 0 }
}

/// Whether the packet's frame is decoded but not shown (before an edit list's start).
pub(crate) fn is_hidden(packet: &Packet) -> bool {
    // SAFETY: `as_ptr` points to the packet that is borrowed here.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// A stream's codec configuration (avcC, hvcC or parameter sets); empty where it has none.
pub(crate) fn extradata(stream: &Stream) -> Vec<u8> {
    // SAFETY: the stream and its parameters live as long as the borrowed context; extradata holds extradata_size bytes.
    unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        match (*parameters).extradata {
            data if data.is_null() || (*parameters).extradata_size <= 0 => Vec::new(),
            data => std::slice::from_raw_parts(data, (*parameters).extradata_size as usize).to_vec(),
        }
    }
}

/// A stream's size as the container or the first frames tell it.
pub(crate) fn coded_size(stream: &Stream) -> (i32, i32) {
    // SAFETY: as in `extradata`.
    unsafe { ((*(*stream.as_ptr()).codecpar).width, (*(*stream.as_ptr()).codecpar).height) }
}

/// One component (luma, blue difference, ...) of a pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    /// The plane it lies in.
    pub(crate) plane: usize,
    /// Bytes from one sample to the next.
    pub(crate) step: usize,
    /// Bytes before the first sample.
    pub(crate) offset: usize,
    /// Bits to shift right.
    pub(crate) shift: u32,
    /// Bits.
    pub(crate) depth: u32,
}

/// How a pixel format lies in memory.
#[derive(Debug, Clone)]
pub(crate) struct PixelLayout {
    /// FFmpeg's name.
    pub(crate) name: &'static str,
    /// Chroma subsampling as powers of two, across and down.
    pub(crate) chroma_shift: (u32, u32),
    /// Components in order (Y, Cb, Cr, alpha, or R, G, B, alpha).
    pub(crate) components: Vec<Component>,
    /// Whether samples are red, green and blue.
    pub(crate) is_rgb: bool,
    /// Whether each sample starts at a byte, in native order, as an integer, without a palette.
    pub(crate) is_plain: bool,
}

/// The layout of a pixel format; `None` for no format.
pub(crate) fn pixel_layout(pixel: format::Pixel) -> Option<PixelLayout> {
    let descriptor = pixel.descriptor()?;
    // SAFETY: descriptors are static tables of FFmpeg.
    let raw = unsafe { &*descriptor.as_ptr() };
    let odd = ffi::AV_PIX_FMT_FLAG_PAL
        | ffi::AV_PIX_FMT_FLAG_BITSTREAM
        | ffi::AV_PIX_FMT_FLAG_HWACCEL
        | ffi::AV_PIX_FMT_FLAG_BAYER
        | ffi::AV_PIX_FMT_FLAG_FLOAT
        | if cfg!(target_endian = "little") { ffi::AV_PIX_FMT_FLAG_BE } else { 0 };
    let component = |c: &ffi::AVComponentDescriptor| Component {
        plane: c.plane as usize,
        step: c.step as usize,
        offset: c.offset as usize,
        shift: c.shift as u32,
        depth: c.depth as u32,
    };
    Some(PixelLayout {
        name: descriptor.name(),
        chroma_shift: (u32::from(raw.log2_chroma_w), u32::from(raw.log2_chroma_h)),
        components: raw.comp[..usize::from(raw.nb_components)].iter().map(component).collect(),
        is_rgb: raw.flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0,
        is_plain: raw.flags & odd as u64 == 0,
    })
}

/// Whether all planes run from the top row down, so that they can be read as slices.
pub(crate) fn has_upright_planes(video: &frame::Video) -> bool {
    // SAFETY: the frame is borrowed; linesize is a plain array in it.
    unsafe { (*video.as_ptr()).linesize.iter().all(|bytes| *bytes >= 0) }
}

/// Bytes of picture in each row of a plane, padding not counted.
pub(crate) fn row_bytes(video: &frame::Video, plane: usize) -> usize {
    // SAFETY: plain numbers; FFmpeg checks the format and answers a negative number to nonsense.
    let bytes =
        unsafe { ffi::av_image_get_linesize(video.format().into(), video.width() as i32, plane as i32) };
    usize::try_from(bytes).unwrap_or(0)
}
