//! The store's operations as plain blocking file calls.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;

use super::draft::{self, Draft};
use crate::error::StoreError;
use crate::seam::{ObjectMeta, PutOutcome, exact_range, folder_of, folder_to_delete};

/// Writes an object that survives a power failure as it is.
pub(super) fn write(root: &Path, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
    let target = root.join(key.as_str());
    let written = Draft::write(folder(root, &target), bytes).and_then(|draft| {
        draft.flush()?;
        draft.replace(&target)
    });
    written.map_err(|e| StoreError::from_io(e, "write", key.as_str()))
}

/// Writes many objects, to be flushed by the commit.
pub(super) fn write_all(root: &Path, objects: &[(ObjectKey, Bytes)]) -> Result<(), StoreError> {
    if !COMMIT_FLUSHES_ALL {
        return objects.iter().try_for_each(|(key, bytes)| write(root, key, bytes));
    }
    for (key, bytes) in objects {
        let target = root.join(key.as_str());
        let written = Draft::write(folder(root, &target), bytes).and_then(|draft| draft.replace(&target));
        written.map_err(|e| StoreError::from_io(e, "write", key.as_str()))?;
    }
    Ok(())
}

/// Writes an object unless there is one, after everything else is on the disk.
pub(super) fn create(root: &Path, key: &ObjectKey, bytes: &[u8]) -> Result<PutOutcome, StoreError> {
    let target = root.join(key.as_str());
    let folder = folder(root, &target);
    let created = Draft::write(folder, bytes).and_then(|draft| {
        draft.flush()?;
        flush_all(root)?;
        let outcome = draft.create_only(&target)?;
        File::open(folder)?.sync_all()?;
        Ok(outcome)
    });
    created.map_err(|e| StoreError::from_io(e, "create", key.as_str()))
}

/// Whether [`flush_all`] can do what it says; else every object is flushed when it is written.
const COMMIT_FLUSHES_ALL: bool = cfg!(target_os = "linux");

/// Has all that was written to the file system of the store on the disk: one call however many files there are.
#[cfg(target_os = "linux")]
fn flush_all(root: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(root)?)?)
}

#[cfg(not(target_os = "linux"))]
fn flush_all(_root: &Path) -> io::Result<()> {
    Ok(())
}

/// The whole object.
pub(super) fn read(root: &Path, key: &ObjectKey) -> Result<Bytes, StoreError> {
    let bytes = fs::read(root.join(key.as_str()));
    bytes.map(Bytes::from).map_err(|e| StoreError::from_io(e, "read", key.as_str()))
}

/// Part of an object.
pub(super) fn read_range(root: &Path, key: &ObjectKey, range: &Range<u64>) -> Result<Bytes, StoreError> {
    let failed = |e| StoreError::from_io(e, "read a range of", key.as_str());
    let mut file = File::open(root.join(key.as_str())).map_err(failed)?;
    exact_range(key, file.metadata().map_err(failed)?.len(), range)?;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
    Ok(bytes.into())
}

/// The object's size, if it is there.
pub(super) fn head(root: &Path, key: ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
    let metadata = present(fs::metadata(root.join(key.as_str())));
    let metadata = metadata.map_err(|e| StoreError::from_io(e, "look at", key.as_str()))?;
    Ok(metadata.filter(fs::Metadata::is_file).map(|m| ObjectMeta { key, size: m.len() }))
}

/// When the object's file was written, if it is there; 1970 where the file system does not tell.
pub(super) fn written_unix_sec(root: &Path, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
    let metadata = present(fs::metadata(root.join(key.as_str())));
    let metadata = metadata.map_err(|e| StoreError::from_io(e, "ask for the age of", key.as_str()))?;
    let modified = metadata.filter(fs::Metadata::is_file).map(|m| m.modified().unwrap_or(UNIX_EPOCH));
    Ok(modified.map(|at| at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())))
}

/// All objects below `prefix`.
pub(super) fn list(root: &Path, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
    let mut found = Vec::new();
    let below = root.join(folder_of("list", prefix)?);
    let walked = walk(&below, &mut |path| {
        let key = path.strip_prefix(root).ok().and_then(Path::to_str).and_then(|text| text.parse().ok());
        if let Some(key) = key
            && let Some(metadata) = present(fs::metadata(path))?
        {
            found.push(ObjectMeta { key, size: metadata.len() });
        }
        Ok(())
    });
    walked.map_err(|e| StoreError::from_io(e, "list", prefix))?;
    found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

/// Removes an object.
pub(super) fn delete(root: &Path, key: &ObjectKey) -> Result<(), StoreError> {
    present(fs::remove_file(root.join(key.as_str())))
        .map(drop)
        .map_err(|e| StoreError::from_io(e, "delete", key.as_str()))
}

/// Removes a folder and all in it.
pub(super) fn delete_prefix(root: &Path, prefix: &str) -> Result<(), StoreError> {
    let folder = folder_to_delete(prefix)?;
    let removed = present(fs::remove_dir_all(root.join(folder.trim_end_matches('/'))));
    removed.map(drop).map_err(|e| StoreError::from_io(e, "delete everything below", prefix))
}

/// Removes abandoned drafts.
pub(super) fn sweep(root: &Path) -> Result<u64, StoreError> {
    let mut swept = 0;
    let walked = walk(root, &mut |path| {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(draft::is_draft) && draft::remove_if_abandoned(path)? {
            swept += 1;
        }
        Ok(())
    });
    walked.map_err(|e| StoreError::from_io(e, "sweep", &root.display().to_string()))?;
    Ok(swept)
}

/// Visits every plain file below `folder`. Links are passed over; so is what disappears meanwhile.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = present(fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let Some(entry) = present(entry)? else { continue };
            let Some(kind) = present(entry.file_type())? else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                visit(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// `None` where there is no such file, or a part of its path is a file.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The folder that a file lies in.
fn folder<'a>(root: &'a Path, file: &'a Path) -> &'a Path {
    file.parent().unwrap_or(root)
}
