//! A store in memory, for tests of stages.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::layout::ObjectKey;

use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{ObjectMeta, PutOutcome, Store, exact_range, folder_of, folder_to_delete};

/// Objects in a map, gone with the value.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<ObjectKey, Stored>>);

#[derive(Debug)]
struct Stored {
    bytes: Bytes,
    written_unix_sec: u64,
}

impl Stored {
    fn now(bytes: Bytes) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self { bytes, written_unix_sec: now.map_or(0, |since| since.as_secs()) }
    }

    fn meta(&self, key: &ObjectKey) -> ObjectMeta {
        ObjectMeta { key: key.clone(), size: self.bytes.len() as u64 }
    }
}

impl MemoryStore {
    /// The objects. A panic elsewhere can't leave them half changed: every change is one call to the map.
    fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn url(&self) -> String {
        "memory:".to_owned()
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.objects().insert(key.clone(), Stored::now(bytes));
        Ok(())
    }

    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError> {
        self.objects().extend(objects.into_iter().map(|(key, bytes)| (key, Stored::now(bytes))));
        Ok(())
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Ok(PutOutcome::Exists);
        }
        objects.insert(key.clone(), Stored::now(bytes));
        Ok(PutOutcome::Created)
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError> {
        let not_found = || StoreError::new(StoreErrorKind::NotFound, "read", key.as_str());
        self.objects().get(key).map(|stored| stored.bytes.clone()).ok_or_else(not_found)
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        let object = self.get(key).await?;
        exact_range(key, object.len() as u64, &range)?;
        Ok(object.slice(range.start as usize..range.end as usize))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
        Ok(self.objects().get(key).map(|stored| stored.meta(key)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let folder = folder_of("list", prefix)?;
        let objects = self.objects();
        let below = objects.iter().filter(|(key, _)| key.as_str().starts_with(&folder));
        Ok(below.map(|(key, stored)| stored.meta(key)).collect())
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.objects().remove(key);
        Ok(())
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        let folder = folder_to_delete(prefix)?;
        self.objects().retain(|key, _| !key.as_str().starts_with(&folder));
        Ok(())
    }

    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        Ok(self.objects().get(key).map(|stored| stored.written_unix_sec))
    }
}
