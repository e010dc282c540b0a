//! The seam: what stages see of a store. The promises stand in the crate's documentation.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{KeyError, ObjectKey};

use crate::error::StoreError;

/// Objects by key.
#[async_trait]
pub trait Store: Send + Sync {
    /// The store's address, for people and reports; without secrets.
    fn url(&self) -> String;

    /// Writes an object, over an older one where there is one.
    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError>;

    /// Writes many small objects, cheaper than one by one. On an error some are written.
    ///
    /// A power failure before the next `put_if_absent` may damage them: for artifacts that a job which did not get as
    /// far as its commit writes again, not for parts whose existence means that they are done.
    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError>;

    /// Writes an object unless there is one, after everything written before is durable.
    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError>;

    /// The whole object.
    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError>;

    /// Bytes `range` of the object.
    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// What is known about the object without reading it.
    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError>;

    /// Everything below `prefix` (whole path parts, no slash at the end; empty: everything), sorted by key.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError>;

    /// Names of the folders directly below `prefix`, sorted: cheaper than a list where they hold much. One that was
    /// emptied a moment ago may still be named.
    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(folders_in(&self.list(prefix).await?, &folder_of("list the folders of", prefix)?))
    }

    /// Removes the object where there is one.
    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError>;

    /// Removes everything below `prefix`, which must not be empty.
    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError>;

    /// Shows a committed run to people in whatever way the store can (the local one links to it); readers do not
    /// need it.
    async fn show_committed(&self, _run: &RunRef) -> Result<(), StoreError> {
        Ok(())
    }

    /// When the object was last written, in seconds since 1970 by the store's clock; `None` where there is none. For
    /// rules of retention alone: no result depends on it.
    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError>;

    /// Whether what is deleted or written over is gone.
    async fn old_versions(&self) -> Result<OldVersions, StoreError> {
        Ok(OldVersions::Gone)
    }

    /// Removes what writers that died left behind, never what living ones work on; returns how many pieces.
    async fn sweep(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// Whether a create-only write wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    /// The object is new and ours.
    Created,
    /// There was one before; it is as it was.
    Exists,
}

/// What becomes of the bytes of an object that is deleted or written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldVersions {
    /// They are gone, as far as the store can tell.
    Gone,
    /// The store keeps them as older versions.
    Kept,
    /// The store does not tell: it knows no such question, or does not let us ask.
    Unknown,
}

/// An object as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its name.
    pub key: ObjectKey,
    /// Its length in bytes.
    pub size: u64,
}

/// Checks that an object of `size` bytes has all of `range`.
pub(crate) fn exact_range(key: &ObjectKey, size: u64, range: &Range<u64>) -> Result<(), StoreError> {
    if range.start <= range.end && range.end <= size {
        return Ok(());
    }
    let reason = format!("bytes {}..{} were asked for, the object has {size}", range.start, range.end);
    Err(StoreError::invalid("read a range of", key.as_str()).with_source(reason))
}

/// The folders that sorted `objects` lie in, directly below `folder` (with its slash).
fn folders_in(objects: &[ObjectMeta], folder: &str) -> Vec<String> {
    let below = objects.iter().filter_map(|object| object.key.as_str().strip_prefix(folder));
    let mut names: Vec<_> = below.filter_map(|rest| Some(rest.split_once('/')?.0.to_owned())).collect();
    names.sort();
    names.dedup();
    names
}

/// What the keys below `prefix` begin with: the prefix and a slash, or nothing for everything.
pub(crate) fn folder_of(operation: &str, prefix: &str) -> Result<String, StoreError> {
    if prefix.is_empty() {
        return Ok(String::new());
    }
    let key: ObjectKey =
        prefix.parse().map_err(|e: KeyError| StoreError::invalid(operation, prefix).with_source(e))?;
    Ok(format!("{key}/"))
}

/// The same for a prefix about to be deleted, which must not be the whole store.
pub(crate) fn folder_to_delete(prefix: &str) -> Result<String, StoreError> {
    let operation = "delete everything below";
    if prefix.is_empty() {
        return Err(StoreError::invalid(operation, prefix).with_source("the whole store is never deleted"));
    }
    folder_of(operation, prefix)
}
