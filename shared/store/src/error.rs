//! What can go wrong with a store.

use std::error::Error;
use std::io;

type Source = Box<dyn Error + Send + Sync>;

/// A failed operation on a store: what kind of failure, which operation on which key, and what is behind it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {place}: {kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    place: String,
    #[source]
    source: Option<Source>,
}

/// What was read, where there is such an object: for whom absence is a finding and no failure.
pub fn if_there<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Kinds of failure, as far as callers treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// There is no such object.
    #[error("it does not exist")]
    NotFound,
    /// The store does not let us: permissions, credentials, a read-only file system.
    #[error("permission denied (check the credentials, or the owner, the mode and the mount of the folder)")]
    Denied,
    /// No space, or a quota or limit on file sizes is used up.
    #[error("the storage is full; free some space and start again, finished parts are kept")]
    Full,
    /// It may work if tried again.
    #[error("the store failed")]
    Transient,
    /// The object is another one than it was when it was first looked at.
    #[error("it was replaced by another object; start a new run for the new one")]
    Replaced,
    /// The request makes no sense to this store.
    #[error("the request is not valid")]
    Invalid,
}

impl StoreError {
    /// A failure of `kind` to do `operation` (a verb) on the object or prefix `key`.
    #[must_use]
    pub fn new(kind: StoreErrorKind, operation: &str, key: &str) -> Self {
        Self { kind, place: format!("{operation} '{key}'"), source: None }
    }

    /// The same with the error behind it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether trying again does not help until somebody does something about it.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.kind != StoreErrorKind::Transient
    }

    pub(crate) fn invalid(operation: &str, key: &str) -> Self {
        Self::new(StoreErrorKind::Invalid, operation, key)
    }

    pub(crate) fn invalid_url(reason: &str) -> Self {
        Self { kind: StoreErrorKind::Invalid, place: format!("open the store ({reason})"), source: None }
    }

    /// A failed system call on a file.
    pub(crate) fn from_io(error: io::Error, operation: &str, key: &str) -> Self {
        Self::new(kind_of(&error), operation, key).with_source(error)
    }
}

fn kind_of(error: &io::Error) -> StoreErrorKind {
    use io::ErrorKind as Io;
    match error.kind() {
        Io::NotFound => StoreErrorKind::NotFound,
        Io::PermissionDenied | Io::ReadOnlyFilesystem => StoreErrorKind::Denied,
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => StoreErrorKind::Full,
        Io::AlreadyExists
        | Io::InvalidFilename
        | Io::InvalidInput
        | Io::IsADirectory
        | Io::NotADirectory
        | Io::Unsupported => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Transient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_where_and_what_to_do() {
        let full = StoreError::from_io(io::Error::from(io::ErrorKind::StorageFull), "write", "a/b.json");
        assert_eq!(full.kind(), StoreErrorKind::Full);
        assert_eq!(
            full.to_string(),
            "cannot write 'a/b.json': the storage is full; free some space and start again, finished parts are kept"
        );
        assert!(full.source().is_some());
    }

    #[test]
    fn only_what_may_pass_by_itself_is_worth_another_try() {
        let io = |kind| StoreError::from_io(io::Error::from(kind), "read", "a");
        assert!(!io(io::ErrorKind::Interrupted).is_permanent());
        assert!(!io(io::ErrorKind::TimedOut).is_permanent());
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::StorageFull] {
            assert!(io(kind).is_permanent(), "{kind}");
        }
    }
}
