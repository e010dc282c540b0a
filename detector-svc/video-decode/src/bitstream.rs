//! What packets say about their pictures before anything is decoded.
//!
//! Only headers are read. Where a codec's headers are not understood here, nothing is claimed: no frame is called
//! unneeded, and seek points are where the container says.

mod h264;
mod hevc;
mod mpeg;
mod nal;

use ffmpeg_next::codec::Id;

use nal::Framing;

/// A packet's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of the headers, not states")]
pub(crate) struct Picture {
    /// Whether other pictures may refer to it; `None` where that is unknown.
    pub(crate) is_reference: Option<bool>,
    /// Whether everything that is shown after it decodes exactly when decoding starts here.
    pub(crate) is_seek_point: bool,
    /// Whether no picture shown before it (but stored after it) needs what came before it.
    pub(crate) is_closed: bool,
    /// Whether it is shown before the keyframe it follows and needs what came before that keyframe.
    pub(crate) is_skipped_leading: bool,
    /// Whether it is shown at all.
    pub(crate) is_shown: bool,
    /// HEVC's temporal sub-layer, 0 elsewhere.
    pub(crate) temporal_id: u8,
}

impl Picture {
    /// A picture of which only the container's key flag is known.
    fn opaque(is_key: bool) -> Self {
        Self {
            is_reference: None,
            is_seek_point: is_key,
            is_closed: true,
            is_skipped_leading: false,
            is_shown: true,
            temporal_id: 0,
        }
    }
}

/// Reads the headers of one stream's packets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bitstream {
    H264(Framing),
    Hevc(Framing),
    Mpeg12,
    Mpeg4,
    Vp8,
    Opaque,
}

impl Bitstream {
    /// A reader for packets of `codec` with the stream's configuration record.
    pub(crate) fn new(codec: Id, extradata: &[u8]) -> Self {
        match codec {
            Id::H264 => Self::H264(Framing::of_h264(extradata)),
            Id::HEVC => Self::Hevc(Framing::of_hevc(extradata)),
            Id::MPEG1VIDEO | Id::MPEG2VIDEO => Self::Mpeg12,
            Id::MPEG4 => Self::Mpeg4,
            Id::VP8 => Self::Vp8,
            _ => Self::Opaque,
        }
    }

    /// The picture in a packet that the container calls a keyframe or not.
    pub(crate) fn picture(self, data: &[u8], is_key: bool) -> Picture {
        match self {
            Self::H264(framing) => h264::picture(framing.units(data), is_key),
            Self::Hevc(framing) => hevc::picture(framing.units(data)),
            Self::Mpeg12 => mpeg::picture(data, is_key),
            // Pictures shown before the first keyframe are B-frames without their first reference.
            Self::Mpeg4 => Picture { is_closed: false, ..Picture::opaque(is_key) },
            // RFC 6386, 9.1: bit 4 of the first byte is show_frame.
            Self::Vp8 => {
                Picture { is_shown: data.first().is_some_and(|b| b & 0x10 != 0), ..Picture::opaque(is_key) }
            }
            Self::Opaque => Picture::opaque(is_key),
        }
    }
}
