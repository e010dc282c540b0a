//! Video in, frames out: probing, segment planning and exact decoding with FFmpeg.
//!
//! A video is [scanned](scan()) once (all packets read, nothing decoded), [cut](segment_ranges) into ranges of timestamps
//! between keyframes, and each range is decoded by a [`SegmentDecoder`] of its own, on whatever thread or machine.
//!
//! Promises:
//!
//! 1. The union of all segments is every frame of the video exactly once, in presentation order, bit for bit what a decode
//!    of the whole video gives: also with open GOPs, B-frames, edit lists and variable frame rates.
//! 2. A frame that was [wanted](Selection::Wanted) comes out bit for bit the same whether the others were decoded or not
//!    (except with [`SkipMode::NonReferenceAndLoopFilter`], which says so).
//! 3. Timestamps are the container's. Where it has none that can be trusted, frames are counted and
//!    [`VideoInfo::timestamps`] says so; such a video is one segment.
//! 4. Input is hostile: contents decide what a file is, from a short list of containers and codecs; nothing but the input
//!    itself is ever opened (no playlists, no references to other files, no network). A frame that can't be decoded costs
//!    that frame. Faults of the reader are errors, never a silent end.
//!
//! Deliberately absent: threads (one decoder, one thread: segments run side by side instead), hardware decoders (not bit
//! exact), deinterlacing, tone mapping, and stretching of non-square pixels.

mod area;
mod bitstream;
mod decoder;
mod demuxer;
mod error;
mod frame;
mod info;
mod input;
mod presentation;
mod rate;
mod raw;
mod rotation;
mod scaler;
mod scan;
mod segments;
mod selection;
mod sws;
mod thumbnail;
mod versions;

pub use decoder::{DecodeStats, SegmentDecoder};
pub use error::{DecodeError, ErrorKind};
pub use frame::Frame;
pub use info::{TimestampSource, VideoInfo};
pub use input::{Input, ReadSeek, StreamOpener};
pub use scaler::Scaler;
pub use scan::{Scan, ScannedFrame, scan};
pub use segments::segment_ranges;
pub use selection::{Selection, SkipMode};
pub use versions::ffmpeg_versions;
