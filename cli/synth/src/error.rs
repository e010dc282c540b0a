//! What can go wrong while a clip is made.

use std::io;
use std::path::PathBuf;

/// A clip could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The photos were never fetched.
    #[error("{} is missing: run `make media` once to fetch the photos that clips are composed from", path.display())]
    MediaMissing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// A file is not the one whose faces were measured.
    #[error("{} is another file than expected (SHA-256 {actual}, not {expected}): delete it and run `make media`", path.display())]
    MediaChanged {
        /// The file.
        path: PathBuf,
        /// Digest of the file whose faces were measured.
        expected: &'static str,
        /// Digest of the file found.
        actual: String,
    },
    /// A photo or video can't be decoded.
    #[error("{} can't be decoded: {reason}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// No film can be made with these people.
    #[error("the people can't be filmed: {0}")]
    Cast(String),
    /// The specification can't be filmed.
    #[error("the clip can't be made: {0}")]
    Specification(String),
    /// The `ffmpeg` program is missing or failed.
    #[error("ffmpeg {doing} failed: {reason} (the program `ffmpeg` with libx264 must be installed)")]
    Ffmpeg {
        /// What it was asked to do.
        doing: &'static str,
        /// Its own words.
        reason: String,
    },
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
