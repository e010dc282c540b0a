//! A store in a bucket of an S3 server: AWS, or any other that knows conditional writes.
//!
//! **Atomic** by nature: a PUT is seen whole or not at all, a multipart upload when it is completed.
//!
//! **The commit** is a PUT with `If-None-Match: *`. Its reply can get lost, and the attempt that follows is then told
//! that the object exists. So every object carries its digest and every create-only write a token of its own: if
//! the object that is there has our token, it was us.
//!
//! **Integrity.** The SHA-256 of its bytes lies in each object's metadata and is compared on every whole read.
//! Checksums of the protocol stay off where it allows: not every server knows the newer ones.
//!
//! **Patience** is in one place, `attempts`: time-outs, pauses, a budget, and fewer requests at once when the server
//! asks for that. The SDK's own retries are off.
//!
//! **Credentials** are given, or found by the SDK: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, then the profile in
//! `~/.aws`; on AWS itself also web identity, container and instance roles. They are never part of a URL, and never
//! shown.
//!
//! [`S3Sources`] finds objects that are not ours, videos, and reads them in pieces.
//!
//! Deliberately absent: making buckets, reading old versions, tags, and encryption settings: who owns the bucket decides.

mod attempts;
mod connect;
mod failure;
mod listing;
mod multipart;
mod objects;
mod options;
mod reader;
mod slots;
mod sources;
mod transport;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::layout::ObjectKey;

pub use self::options::{AccessKey, Addressing, S3Limits, S3Options};
pub use self::reader::ObjectReader;
pub use self::sources::{FoundObject, ObjectSource, ObjectVersion, S3Sources};

use self::attempts::Purpose;
use self::connect::{Bucket, Server};
use self::objects::Condition;
use self::options::Place;
use crate::error::StoreError;
use crate::seam::{ObjectMeta, OldVersions, PutOutcome, Store, exact_range, folder_of, folder_to_delete};

/// Objects in a bucket, below a prefix. Clones share connections, budget and bounds.
#[derive(Debug, Clone)]
pub struct S3Store {
    bucket: Arc<Bucket>,
    place: Place,
}

impl S3Store {
    /// The store at `s3://bucket/prefix`, optionally with `?endpoint=URL&region=NAME&path_style=true`; asks the server
    /// for the bucket.
    pub async fn open(url: &str, options: &S3Options) -> Result<Self, StoreError> {
        let mut options = options.clone();
        let place = Place::parse(url, &mut options)?.checked_prefix()?;
        let bucket = Server::at(&options).await?.bucket(&place.bucket);
        bucket.check(&place.url()).await?;
        Ok(Self { bucket, place })
    }

    /// The name in the bucket of a key, or of what keys begin with.
    fn full(&self, key: &str) -> String {
        match self.place.path.as_str() {
            "" => key.to_owned(),
            prefix => format!("{prefix}/{key}"),
        }
    }
}

#[async_trait]
impl Store for S3Store {
    fn url(&self) -> String {
        self.place.url()
    }

    async fn put(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), StoreError> {
        let purpose = Purpose { operation: "write", object: key.as_str() };
        let name = self.full(key.as_str());
        if bytes.len() > self.bucket.attempts.limits.multipart_above_bytes {
            return multipart::put(&self.bucket, purpose, &name, bytes).await;
        }
        objects::put(&self.bucket, purpose, &name, bytes).await
    }

    async fn put_all(&self, objects: Vec<(ObjectKey, Bytes)>) -> Result<(), StoreError> {
        let mut writers = tokio::task::JoinSet::new();
        for (key, bytes) in objects {
            // As many tasks as can have a request under way; the rest waits here.
            while writers.len() >= self.bucket.attempts.limits.concurrency {
                listing::finished(writers.join_next().await, self)?;
            }
            let store = self.clone();
            writers.spawn(async move { store.put(&key, bytes).await });
        }
        while !writers.is_empty() {
            listing::finished(writers.join_next().await, self)?;
        }
        Ok(())
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<PutOutcome, StoreError> {
        let purpose = Purpose { operation: "create", object: key.as_str() };
        objects::create(&self.bucket, purpose, &self.full(key.as_str()), bytes).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, StoreError> {
        let purpose = Purpose { operation: "read", object: key.as_str() };
        objects::get(&self.bucket, purpose, &self.full(key.as_str())).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes, StoreError> {
        let purpose = Purpose { operation: "read a range of", object: key.as_str() };
        let name = self.full(key.as_str());
        // A range that is empty or beyond any object's end has no form in the protocol: its size decides.
        if !range.is_empty() && range.end <= objects::LARGEST_OBJECT {
            let read =
                objects::get_range(&self.bucket, purpose, &name, (range.clone(), Condition::None)).await;
            match read {
                Ok(bytes) if bytes.len() as u64 == range.end - range.start => return Ok(bytes),
                Err(error) if error.kind() != crate::StoreErrorKind::Invalid => return Err(error),
                // Shorter than asked for, or refused: because the object is too short?
                _ => {}
            }
        }
        let facts = objects::head(&self.bucket, purpose, &name).await?;
        let facts = facts.ok_or_else(|| purpose.fails(crate::StoreErrorKind::NotFound, "no such object"))?;
        exact_range(key, facts.size, &range)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        Err(purpose.fails(crate::StoreErrorKind::Transient, "the server sent another range than asked for"))
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectMeta>, StoreError> {
        let purpose = Purpose { operation: "look at", object: key.as_str() };
        let facts = objects::head(&self.bucket, purpose, &self.full(key.as_str())).await?;
        Ok(facts.map(|facts| ObjectMeta { key: key.clone(), size: facts.size }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>, StoreError> {
        let folder = folder_of("list", prefix)?;
        listing::list(self, Purpose { operation: "list", object: prefix }, &folder).await
    }

    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let operation = "list the folders of";
        let folder = folder_of(operation, prefix)?;
        listing::folders(self, Purpose { operation, object: prefix }, &folder).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), StoreError> {
        let purpose = Purpose { operation: "delete", object: key.as_str() };
        objects::delete(&self.bucket, purpose, &self.full(key.as_str())).await
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        let folder = folder_to_delete(prefix)?;
        let purpose = Purpose { operation: "delete everything below", object: prefix };
        listing::delete_below(self, purpose, &folder).await
    }

    async fn written_unix_sec(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        let purpose = Purpose { operation: "ask for the age of", object: key.as_str() };
        let facts = objects::head(&self.bucket, purpose, &self.full(key.as_str())).await?;
        Ok(facts.map(|facts| facts.written_unix_sec))
    }

    async fn old_versions(&self) -> Result<OldVersions, StoreError> {
        self.bucket.old_versions(&self.place.url()).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        let purpose = Purpose { operation: "sweep unfinished uploads of", object: &self.place.url() };
        multipart::abort_abandoned(&self.bucket, purpose, &self.full("")).await
    }
}
