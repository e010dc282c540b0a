//! A store in a local folder: every object is a plain file at its key.
//!
//! **Atomic.** An object is written to a draft beside its place (a name that no key can have, see `draft`),
//! flushed, and renamed. A create-only write links the draft to its place instead: the file system lets exactly one
//! link win.
//!
//! **Durable, and what it costs.** A file renamed before its bytes are on the disk can come out of a power failure
//! empty, and a restarted run would take it for a finished part. So `put` flushes the bytes first: parts are few and
//! worth seconds of work each. Crops are thousands, and flushing each would make the disk the slowest stage (a flush
//! waits for whatever else is being written): `put_all` leaves them to the commit. A create-only write, the commit,
//! first flushes the whole file system, so that everything it speaks of, folders and renames too, is on the disk
//! before it can be seen. A missing part after a power failure is one to do again; a committed run is whole.
//!
//! **Clean.** Writers hold a lock on their draft; the system drops it when they die. `sweep` removes unlocked
//! drafts, and lists never show any.
//!
//! File calls run on tokio's blocking threads, a few at a time.

mod draft;
mod files;
mod links;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::ObjectKey;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{ObjectMeta, PutOutcome, Store};

/// File operations that run at the same time: enough to keep a disk busy, few enough to leave its queue to others.
const CONCURRENT_OPERATIONS: usize = 8;

/// Objects as files below a folder. Clones share the limit on concurrent operations.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: Arc<Path>,
    slots: Arc<Semaphore>,
}

impl LocalStore {
    /// The store in `root`, which the first write makes if need be.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        let shown = root.display().to_string();
        let absolute =
            std::path::absolute(root).map_err(|e| StoreError::from_io(e, "open the store", &shown))?;
        Ok(Self { root: absolute.into(), slots: Arc::new(Semaphore::new(CONCURRENT_OPERATIONS)) })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs `work` on a blocking thread once there is a slot. Once started it runs to its end, also if nobody
    /// waits.
    async fn blocking<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    {
        let failed =
            |place: &str| StoreError::new(StoreErrorKind::Transient, "run a file operation in", place);
        let root = Arc::clone(&self.root);
        let shown = root.display().to_string();
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|e| failed(&shown).with_source(e))?;
        let task = spawn_blocking(move || {
            let outcome = work(&root);
            drop(slot);
            outcome
        });
        task.await.map_err(|e| failed(&shown).with_source(e))?
    }
}

#[async_trait]
impl Store for LocalStore {
    fn url(&self) -> String {
        format!("file://{}", self.root.display())
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::write(root, &key, &bytes)).await
    }

    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError> {
        self.blocking(move |root| files::write_all(root, &objects)).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::create(root, &key, &bytes)).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::read(root, &key)).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::read_range(root, &key, &range)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::head(root, key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let prefix = prefix.to_owned();
        self.blocking(move |root| files::list(root, &prefix)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::delete(root, &key)).await
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        let prefix = prefix.to_owned();
        self.blocking(move |root| files::delete_prefix(root, &prefix)).await
    }

    async fn show_committed(&self, run: &RunRef) -> Result<(), StoreError> {
        let run = run.clone();
        self.blocking(move |root| links::show_committed(root, &run)).await
    }

    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        let key = key.clone();
        self.blocking(move |root| files::written_unix_sec(root, &key)).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.blocking(files::sweep).await
    }
}
