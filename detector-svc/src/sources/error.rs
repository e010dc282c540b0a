//! What is wrong with a source.

use std::error::Error;
use std::io;
use std::path::Path;

use facereel_service::StageError;
use facereel_store::{StoreError, StoreErrorKind};
use tokio::task::JoinError;

type Cause = Box<dyn Error + Send + Sync>;

/// A source that can't be used: what kind of trouble, a text that says what to do, and what is behind it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct SourceError {
    kind: SourceErrorKind,
    text: String,
    #[source]
    cause: Option<Cause>,
}

/// Kinds of trouble, as far as callers treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// There is no such video.
    NotFound,
    /// We may not read it.
    Denied,
    /// It lies where videos may not come from.
    NotAllowed,
    /// It is another one than it was when the run was asked for.
    Replaced,
    /// What was named can't be a video: a folder, an unknown scheme.
    Invalid,
    /// The settings that say where videos are make no sense.
    Settings,
    /// It may work if tried again.
    Transient,
}

impl SourceError {
    /// The kind of trouble.
    #[must_use]
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// Whether trying again does not help until somebody does something about it.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.kind != SourceErrorKind::Transient
    }

    pub(super) fn new(kind: SourceErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), cause: None }
    }

    fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// A file that the system does not let us have.
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => SourceErrorKind::Denied,
            io::ErrorKind::InvalidFilename | io::ErrorKind::IsADirectory => SourceErrorKind::Invalid,
            _ => SourceErrorKind::Transient,
        };
        let text = format!("the video {} can't be read (check the path and its permissions)", path.display());
        Self::new(kind, text).because(error)
    }

    /// An object that the store does not let us have.
    pub(super) fn store(url: &str, error: StoreError) -> Self {
        let (kind, text) = match error.kind() {
            StoreErrorKind::NotFound => {
                (SourceErrorKind::NotFound, format!("there is no video {url} (check bucket and key)"))
            }
            StoreErrorKind::Denied => {
                (SourceErrorKind::Denied, format!("the video {url} may not be read (check the credentials)"))
            }
            StoreErrorKind::Replaced => return Self::replaced(url).because(error),
            StoreErrorKind::Invalid => (SourceErrorKind::Invalid, format!("{url} can't be read")),
            StoreErrorKind::Full | StoreErrorKind::Transient => {
                (SourceErrorKind::Transient, format!("the video {url} can't be read at the moment"))
            }
        };
        Self::new(kind, text).because(error)
    }

    pub(super) fn settings(error: StoreError) -> Self {
        Self::new(SourceErrorKind::Settings, "the settings of the store can't be used").because(error)
    }

    pub(super) fn replaced(url: &str) -> Self {
        let text = format!("{url} is not the video it was when the run was asked for; start a new run");
        Self::new(SourceErrorKind::Replaced, text)
    }

    pub(super) fn not_utf8(path: &Path) -> Self {
        let text =
            format!("the path {} is not UTF-8 and can't be recorded: rename the video", path.display());
        Self::new(SourceErrorKind::Invalid, text)
    }

    /// The process is ending, or a thread panicked.
    pub(super) fn interrupted(error: JoinError) -> Self {
        Self::new(SourceErrorKind::Transient, "the video could not be read to its end").because(error)
    }
}

impl From<SourceError> for StageError {
    fn from(error: SourceError) -> Self {
        let doing = "the video can't be used";
        if error.is_permanent() { Self::permanent(doing, error) } else { Self::transient(doing, error) }
    }
}
