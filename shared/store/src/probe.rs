//! Whether a store does what it must: a round of small operations, for an operator before a season is submitted.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;

use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{PutOutcome, Store};

/// Where the probe's objects lie; they are removed again.
const FOLDER: &str = "doctor";

const CONTENT: &str = "written and removed by facereel doctor";

/// Round trips that are timed; the fastest counts, as the first pays for the connection.
const ROUNDS: usize = 5;

/// What a probe found. What did not work at all is an error instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether the commit is safe.
    pub conditional_writes: ConditionalWrites,
    /// How long one small request takes.
    pub round_trip: Duration,
}

/// What becomes of a create-only write of an object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionalWrites {
    /// It is refused, as it must be.
    Honoured,
    /// The object is overwritten: two workers that finish a run at once would both believe that they committed it.
    Ignored,
    /// The server does not know such writes; this is what it said.
    Refused(String),
}

/// Writes, reads, lists and deletes objects of its own.
pub async fn probe(store: &dyn Store) -> Result<Probe, StoreError> {
    let folder = format!("{FOLDER}/{:016x}", RandomState::new().hash_one(std::process::id()));
    let probed = Probing { store, folder: &folder }.run().await;
    let removed = store.delete_prefix(&folder).await;
    let probed = probed?;
    removed.map(|()| probed)
}

struct Probing<'a> {
    store: &'a dyn Store,
    folder: &'a str,
}

impl Probing<'_> {
    async fn run(&self) -> Result<Probe, StoreError> {
        let object = self.key("object")?;
        self.store.put(&object, CONTENT.into()).await?;
        if self.store.get(&object).await? != CONTENT {
            return Err(self.other_than_written("read"));
        }
        if self.store.get_range(&object, 4..9).await? != CONTENT.as_bytes()[4..9] {
            return Err(self.other_than_written("read a range of"));
        }
        if self.store.list(self.folder).await?.iter().all(|meta| meta.key != object) {
            return Err(self.other_than_written("list"));
        }
        let round_trip = self.round_trip(&object).await?;
        let conditional_writes = self.conditional_writes(&self.key("commit")?).await?;
        self.store.delete(&object).await?;
        if self.store.head(&object).await?.is_some() {
            return Err(self.other_than_written("delete"));
        }
        Ok(Probe { conditional_writes, round_trip })
    }

    async fn round_trip(&self, object: &ObjectKey) -> Result<Duration, StoreError> {
        let mut fastest = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            self.store.head(object).await?;
            fastest = fastest.min(start.elapsed());
        }
        Ok(fastest)
    }

    async fn conditional_writes(&self, object: &ObjectKey) -> Result<ConditionalWrites, StoreError> {
        let refused = |error: StoreError| match error.kind() {
            StoreErrorKind::Invalid => Ok(ConditionalWrites::Refused(with_cause(&error))),
            _ => Err(error),
        };
        if let Err(error) = self.store.put_if_absent(object, Bytes::from("first")).await {
            return refused(error);
        }
        match self.store.put_if_absent(object, Bytes::from("second")).await {
            Ok(PutOutcome::Exists) => Ok(ConditionalWrites::Honoured),
            Ok(PutOutcome::Created) => Ok(ConditionalWrites::Ignored),
            Err(error) => refused(error),
        }
    }

    fn key(&self, name: &str) -> Result<ObjectKey, StoreError> {
        let key = format!("{}/{name}", self.folder);
        key.parse()
            .map_err(|e: facereel_domain::layout::KeyError| StoreError::invalid("probe", &key).with_source(e))
    }

    /// The store answered, but not with what was written.
    fn other_than_written(&self, operation: &str) -> StoreError {
        let reason = "the store shows something else than what was written a moment ago";
        StoreError::invalid(operation, self.folder).with_source(reason)
    }
}

fn with_cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::faulty::StoreFault;
    use crate::{FaultyStore, LocalStore, MemoryStore};

    #[tokio::test]
    async fn a_good_store_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let local = LocalStore::open(folder.path()).unwrap();
        for store in [&local as &dyn Store, &MemoryStore::default()] {
            let found = probe(store).await.unwrap();
            assert_eq!(found.conditional_writes, ConditionalWrites::Honoured);
            assert!(found.round_trip < Duration::from_secs(5));
            assert_eq!(store.list("").await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn what_fails_is_told_and_nothing_stays_behind() {
        let inner = Arc::new(MemoryStore::default());
        let faulty = FaultyStore::new(inner.clone(), [StoreFault::FailNth(3)]);
        let error = probe(&faulty).await.unwrap_err();
        assert!(error.to_string().contains("read a range of 'doctor/"), "{error}");
        assert_eq!(inner.list("").await.unwrap(), []);
    }
}
