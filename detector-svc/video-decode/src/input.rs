//! Where a video's bytes come from.
//!
//! FFmpeg never opens anything by name: every input, files too, is read through a Rust reader. So no name can reach one of
//! FFmpeg's protocols, bytes are counted, and a fault of the reader is kept even where a demuxer takes it for the end.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{DecodeError, ErrorKind};

/// Bytes that can be read from any position.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// Opens a video that is no local file (an object in a store).
pub trait StreamOpener: fmt::Debug + Send + Sync {
    /// A fresh reader at the first byte. Reads must block until there is data; a read of 0 bytes is the end. Of its
    /// faults those of kind `NotFound`, `PermissionDenied` and `StaleNetworkFileHandle` (the input was replaced) are
    /// taken for lasting, others for passing.
    fn open(&self) -> io::Result<Box<dyn ReadSeek>>;

    /// What errors call it.
    fn name(&self) -> String;
}

/// A video.
#[derive(Debug, Clone)]
pub enum Input {
    /// A local file.
    File(PathBuf),
    /// Anything else that can be read and seeked.
    Stream(Arc<dyn StreamOpener>),
}

impl Input {
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream(opener) => opener.name(),
        }
    }

    pub(crate) fn open(&self) -> Result<MeteredReader, DecodeError> {
        let inner = match self {
            Self::File(path) => open_regular(path),
            Self::Stream(opener) => opener.open(),
        };
        let inner = inner.map_err(|e| reader_failed(e, &self.place()))?;
        Ok(MeteredReader { inner, meter: Arc::default() })
    }
}

/// Only regular files: reading a pipe or a device could wait for ever.
fn open_regular(path: &PathBuf) -> io::Result<Box<dyn ReadSeek>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
    }
    Ok(Box::new(File::open(path)?))
}

/// What a reader's fault means for the video.
pub(crate) fn reader_failed(error: io::Error, place: &str) -> DecodeError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::InvalidInput => ErrorKind::NotAVideo,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        io::ErrorKind::StaleNetworkFileHandle => ErrorKind::Changed,
        _ => ErrorKind::Io,
    };
    DecodeError::new(kind, place).source(error)
}

/// What a reader did.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    fault: Mutex<Option<io::Error>>,
}

impl Meter {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The first fault since the last call.
    pub(crate) fn take_fault(&self) -> Option<io::Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|e| {
            if e.kind() == io::ErrorKind::Interrupted {
                return e;
            }
            let code = e.raw_os_error();
            let for_ffmpeg = code.map_or_else(|| io::Error::from(e.kind()), io::Error::from_raw_os_error);
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
            for_ffmpeg
        })
    }
}

/// A reader that counts its bytes and remembers its first fault.
pub(crate) struct MeteredReader {
    inner: Box<dyn ReadSeek>,
    pub(crate) meter: Arc<Meter>,
}

impl Read for MeteredReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.meter.note(self.inner.read(buf))?;
        self.meter.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Seek for MeteredReader {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.meter.note(self.inner.seek(pos))
    }
}
