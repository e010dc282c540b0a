//! Drafts: files on their way to becoming objects.
//!
//! A draft lies in the folder of its object, so that it can be renamed there. Its name begins with `~`, which no
//! key can have, and is unique over processes and hosts. Its writer holds a lock on it from before the first byte
//! until it is gone or has become the object; a draft that anybody else can lock is abandoned.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;

use crate::seam::PutOutcome;

const MARK: char = '~';

/// Whether a file name is a draft's.
pub(super) fn is_draft(file_name: &str) -> bool {
    file_name.starts_with(MARK)
}

/// A new path in `folder` for a draft: unique by 64 random bits (the process id is for people).
pub(super) fn unique_path(folder: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(process::id());
    folder.join(format!("{MARK}{}-{random:016x}", process::id()))
}

/// A file that is not yet an object; removed when dropped.
pub(super) struct Draft {
    /// Taken when the file moves to its place.
    path: Option<PathBuf>,
    /// Keeps the lock.
    file: File,
}

impl Draft {
    /// A draft with these bytes in `folder`, which is made if need be.
    pub(super) fn write(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut draft = Self::create(folder)?;
        draft.file.write_all(bytes)?;
        Ok(draft)
    }

    fn create(folder: &Path) -> io::Result<Self> {
        loop {
            let path = unique_path(folder);
            let file = match File::create_new(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    // The folder is missing, or was deleted a moment ago; an unmakeable one ends the loop.
                    fs::create_dir_all(folder)?;
                    continue;
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other?,
            };
            // A sweeper may have come between creation and lock: then the file is locked by it or already gone.
            let lost = match file.try_lock() {
                Ok(()) => file.metadata()?.nlink() == 0,
                Err(TryLockError::WouldBlock) => true,
                // A file system without locks: nobody can lock, so nobody sweeps.
                Err(TryLockError::Error(_)) => false,
            };
            if !lost {
                return Ok(Self { path: Some(path), file });
            }
        }
    }

    /// Has the bytes on the disk when it returns.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Becomes the object at `target`, over an older one.
    pub(super) fn replace(mut self, target: &Path) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        fs::rename(path, target)?;
        self.path = None;
        Ok(())
    }

    /// Becomes the object at `target` unless there is one.
    pub(super) fn create_only(self, target: &Path) -> io::Result<PutOutcome> {
        let Some(path) = &self.path else { return Ok(PutOutcome::Exists) };
        match fs::hard_link(path, target) {
            Ok(()) => Ok(PutOutcome::Created),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(PutOutcome::Exists),
            Err(e) => Err(e),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What can't be removed now is swept later.
            let _ = fs::remove_file(path);
        }
    }
}

/// Removes the draft at `path` if its writer is gone; whether it did.
pub(super) fn remove_if_abandoned(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    if file.try_lock().is_err() {
        return Ok(false);
    }
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_swept_only_after_its_writer_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::write(folder.path(), b"half").unwrap();
        let path = draft.path.clone().unwrap();
        assert!(is_draft(path.file_name().unwrap().to_str().unwrap()));
        assert!(!remove_if_abandoned(&path).unwrap());
        assert!(path.exists());

        // A killed writer drops its lock and leaves its file.
        let Draft { file, .. } = &draft;
        file.unlock().unwrap();
        assert!(remove_if_abandoned(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_dropped_draft_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Draft::write(folder.path(), b"half").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_drafts_never_share_a_name() {
        let folder = Path::new("x");
        assert_ne!(unique_path(folder), unique_path(folder));
    }
}
