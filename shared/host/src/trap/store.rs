//! A store whose writes pass a trap.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::ObjectKey;
use facereel_store::{ObjectMeta, OldVersions, PutOutcome, Store, StoreError};

use super::{Point, Trap};

pub(super) struct TrappedStore {
    pub(super) inner: Arc<dyn Store>,
    pub(super) trap: Arc<Trap>,
}

#[async_trait]
impl Store for TrappedStore {
    fn url(&self) -> String {
        self.inner.url()
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        self.trap.pass(Point::BeforeWrite, key.as_str()).await;
        self.inner.put(key, bytes).await?;
        self.trap.pass(Point::AfterWrite, key.as_str()).await;
        Ok(())
    }

    /// Counts once, under the first key.
    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError> {
        let first = objects.first().map(|(key, _)| key.to_string()).unwrap_or_default();
        self.trap.pass(Point::BeforeWrite, &first).await;
        self.inner.put_all(objects).await?;
        self.trap.pass(Point::AfterWrite, &first).await;
        Ok(())
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError> {
        self.trap.pass(Point::BeforeWrite, key.as_str()).await;
        let outcome = self.inner.put_if_absent(key, bytes).await?;
        self.trap.pass(Point::AfterWrite, key.as_str()).await;
        Ok(outcome)
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        self.inner.list(prefix).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        self.inner.delete_prefix(prefix).await
    }

    async fn show_committed(&self, run: &RunRef) -> Result<(), StoreError> {
        self.inner.show_committed(run).await
    }

    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.inner.written_unix_sec(key).await
    }

    async fn old_versions(&self) -> Result<OldVersions, StoreError> {
        self.inner.old_versions().await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.inner.sweep().await
    }
}
