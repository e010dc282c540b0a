//! What goes wrong with videos: kind, place and source.

use std::error::Error;
use std::fmt;

/// Why a video can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such file or object.
    NotFound,
    /// The content is no video, or its index is missing (a recording that was never finished).
    NotAVideo,
    /// The content is of a kind that is not read: playlists, images, containers outside of the list.
    FormatNotAllowed,
    /// The file has no video stream (audio only, or cover art).
    NoVideoStream,
    /// The video stream holds no frame that can be decoded.
    NoFrames,
    /// The codec is outside of the list, or this FFmpeg can't decode it.
    UnsupportedCodec,
    /// Frames are smaller or larger than what is decoded.
    SizeOutOfLimits,
    /// We may not read the input.
    Denied,
    /// The input can't be read at the moment; it may work later.
    Io,
    /// The input is not the one that was scanned: its reader says so, or a segment's first frame is not there.
    Changed,
    /// FFmpeg refused something that should work (out of memory, a pixel format without a converter).
    Ffmpeg,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such video",
            Self::NotAVideo => "not a video, or damaged beyond reading",
            Self::FormatNotAllowed => {
                "the format is not allowed (allowed are mp4, mov, mkv, webm, ts and avi)"
            }
            Self::NoVideoStream => "there is no video stream inside",
            Self::NoFrames => "there are no video frames inside",
            Self::UnsupportedCodec => "the codec is not supported",
            Self::SizeOutOfLimits => "the frame size is outside of the limits",
            Self::Denied => "the video may not be read (check its permissions, or the credentials)",
            Self::Io => "the video can't be read",
            Self::Changed => "the video changed since it was scanned",
            Self::Ffmpeg => "FFmpeg failed",
        })
    }
}

/// A video that can't be read: what is wrong, where, and what FFmpeg or the system said.
#[derive(Debug)]
pub struct DecodeError {
    kind: ErrorKind,
    place: String,
    detail: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl DecodeError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file or object.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether the same video fails again in the same way: everything but faults of the reader and lack of memory.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(self.kind, ErrorKind::Io | ErrorKind::Ffmpeg)
    }

    pub(crate) fn new(kind: ErrorKind, place: &str) -> Self {
        Self { kind, place: place.to_owned(), detail: String::new(), source: None }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|s| &**s as &(dyn Error + 'static))
    }
}
