//! A decorator that makes any store misbehave in the ways that real ones do, at chosen moments.
//!
//! Without faults it changes nothing: it passes the conformance suite. Operations are counted from 1 over the whole
//! decorator, so that a test says exactly what goes wrong.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::ObjectKey;
use tokio::sync::watch;

use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{ObjectMeta, OldVersions, PutOutcome, Store};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFault {
    /// The operation with this number (from 1) fails without effect; trying again may help.
    FailNth(u64),
    /// The operation with this number does its work and fails all the same.
    LoseReplyOfNth(u64),
    /// Writes fail once this many bytes were written.
    FullAfterBytes(u64),
    /// The first write to a key that ends with this text is not done, and from then on nothing works: the process
    /// died just before it.
    CrashBeforeWrite(String),
    /// The first write to a key that ends with this text is done, and from then on nothing works: the process died
    /// just after it.
    CrashAfterWrite(String),
}

/// A store with faults.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Vec<StoreFault>,
    operations: AtomicU64,
    written_bytes: AtomicU64,
    crashed: watch::Sender<bool>,
}

/// What the faults decided about an operation.
enum Fate {
    Works,
    FailsAfterwards,
    CrashesAfterwards,
}

impl FaultyStore {
    /// `inner` with `faults`; where several strike, the first one listed counts.
    pub fn new(inner: Arc<dyn Store>, faults: impl Into<Vec<StoreFault>>) -> Self {
        Self {
            inner,
            faults: faults.into(),
            operations: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            crashed: watch::Sender::new(false),
        }
    }

    /// Operations so far: a first run without faults tells a test how many there are to fail.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    /// Returns once a crash has happened; the test then drops what works on the store.
    pub async fn crashed(&self) {
        // The sender lives as long as `self`: the wait can't fail.
        let _ = self.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    /// Decides the fate of an operation that reads or deletes.
    fn decide(&self, operation: &str, key: &str) -> Result<Fate, StoreError> {
        if *self.crashed.borrow() {
            return Err(injected(StoreErrorKind::Transient, operation, key));
        }
        let number = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        for fault in &self.faults {
            match fault {
                StoreFault::FailNth(n) if *n == number => {
                    return Err(injected(StoreErrorKind::Transient, operation, key));
                }
                StoreFault::LoseReplyOfNth(n) if *n == number => return Ok(Fate::FailsAfterwards),
                _ => {}
            }
        }
        Ok(Fate::Works)
    }

    /// Decides the fate of a write.
    fn decide_write(&self, operation: &str, objects: &[(ObjectKey, Bytes)]) -> Result<Fate, StoreError> {
        let first = objects.first().map_or("", |(key, _)| key.as_str());
        let fate = self.decide(operation, first)?;
        let len: u64 = objects.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let written = self.written_bytes.fetch_add(len, Ordering::SeqCst) + len;
        let ends_with = |text: &String| objects.iter().any(|(key, _)| key.as_str().ends_with(text));
        for fault in &self.faults {
            match fault {
                StoreFault::FullAfterBytes(limit) if written > *limit => {
                    return Err(injected(StoreErrorKind::Full, operation, first));
                }
                StoreFault::CrashBeforeWrite(text) if ends_with(text) => {
                    self.crashed.send_replace(true);
                    return Err(injected(StoreErrorKind::Transient, operation, first));
                }
                StoreFault::CrashAfterWrite(text) if ends_with(text) => return Ok(Fate::CrashesAfterwards),
                _ => {}
            }
        }
        Ok(fate)
    }

    /// The result that the caller sees of an operation that was done.
    fn reply<T>(
        &self,
        fate: &Fate,
        result: Result<T, StoreError>,
        place: (&str, &str),
    ) -> Result<T, StoreError> {
        match fate {
            Fate::Works => return result,
            Fate::CrashesAfterwards => drop(self.crashed.send_replace(true)),
            Fate::FailsAfterwards => {}
        }
        result.and(Err(injected(StoreErrorKind::Transient, place.0, place.1)))
    }
}

fn injected(kind: StoreErrorKind, operation: &str, key: &str) -> StoreError {
    StoreError::new(kind, operation, key).with_source("fault injected")
}

#[async_trait]
impl Store for FaultyStore {
    fn url(&self) -> String {
        self.inner.url()
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let fate = self.decide_write("write", &[(key.clone(), bytes.clone())])?;
        self.reply(&fate, self.inner.put(key, bytes).await, ("write", key.as_str()))
    }

    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError> {
        let fate = self.decide_write("write", &objects)?;
        self.reply(&fate, self.inner.put_all(objects).await, ("write", "many objects"))
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError> {
        let fate = self.decide_write("create", &[(key.clone(), bytes.clone())])?;
        self.reply(&fate, self.inner.put_if_absent(key, bytes).await, ("create", key.as_str()))
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError> {
        let fate = self.decide("read", key.as_str())?;
        self.reply(&fate, self.inner.get(key).await, ("read", key.as_str()))
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        let fate = self.decide("read a range of", key.as_str())?;
        self.reply(&fate, self.inner.get_range(key, range).await, ("read a range of", key.as_str()))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
        let fate = self.decide("look at", key.as_str())?;
        self.reply(&fate, self.inner.head(key).await, ("look at", key.as_str()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let fate = self.decide("list", prefix)?;
        self.reply(&fate, self.inner.list(prefix).await, ("list", prefix))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let fate = self.decide("delete", key.as_str())?;
        self.reply(&fate, self.inner.delete(key).await, ("delete", key.as_str()))
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        let fate = self.decide("delete everything below", prefix)?;
        self.reply(&fate, self.inner.delete_prefix(prefix).await, ("delete everything below", prefix))
    }

    async fn show_committed(&self, run: &RunRef) -> Result<(), StoreError> {
        let ep_id = run.ep_id.as_str();
        let fate = self.decide("show the run of", ep_id)?;
        self.reply(&fate, self.inner.show_committed(run).await, ("show the run of", ep_id))
    }

    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        let fate = self.decide("ask for the age of", key.as_str())?;
        let written = self.inner.written_unix_sec(key).await;
        self.reply(&fate, written, ("ask for the age of", key.as_str()))
    }

    async fn old_versions(&self) -> Result<OldVersions, StoreError> {
        let fate = self.decide("ask for old versions in", "")?;
        self.reply(&fate, self.inner.old_versions().await, ("ask for old versions in", ""))
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        let fate = self.decide("sweep", "")?;
        self.reply(&fate, self.inner.sweep().await, ("sweep", ""))
    }
}
