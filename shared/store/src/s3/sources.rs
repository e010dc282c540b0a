//! Objects that are not ours: found, listed, pinned, read.
//!
//! An object is pinned by its ETag: every request names it, so that bytes of two versions never mix. A replaced object
//! is an error of its own kind.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::attempts::Purpose;
use super::connect::{Bucket, Server};
use super::listing::{self, Depth, Query};
use super::objects::{self, Condition};
use super::options::{Place, S3Options};
use super::reader::ObjectReader;
use crate::error::{StoreError, StoreErrorKind};

const OPERATION: &str = "read";

/// All buckets of a server that we may read. Clones share connections, budget and bounds.
#[derive(Debug, Clone)]
pub struct S3Sources(Server);

/// What tells one version of an object from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Its length in bytes.
    pub size: u64,
    /// The server's name for its content.
    pub etag: String,
}

/// An object that a list showed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundObject {
    /// `s3://bucket/name`.
    pub url: String,
    /// Its length in bytes.
    pub size: u64,
}

impl S3Sources {
    /// The buckets of the server that `options` name; asks nobody yet.
    pub async fn connect(options: &S3Options) -> Result<Self, StoreError> {
        Ok(Self(Server::at(options).await?))
    }

    /// The object at `s3://bucket/name` as it is now. Its name may be any: a `?` is part of it.
    pub async fn find(&self, url: &str) -> Result<ObjectSource, StoreError> {
        let place = object_at(url)?;
        let bucket = self.0.bucket(&place.bucket);
        let purpose = Purpose { operation: OPERATION, object: url };
        let facts = objects::head(&bucket, purpose, &place.path).await?;
        let facts = facts.ok_or_else(|| purpose.fails(StoreErrorKind::NotFound, "no such object"))?;
        let untagged = || purpose.fails(StoreErrorKind::Invalid, "the server tells no ETag to pin it by");
        let version = ObjectVersion { size: facts.size, etag: facts.etag.ok_or_else(untagged)? };
        Ok(ObjectSource::new(bucket, &place, version))
    }

    /// The object as it was when somebody found it; asks nobody yet.
    pub fn pinned(&self, url: &str, version: ObjectVersion) -> Result<ObjectSource, StoreError> {
        let place = object_at(url)?;
        Ok(ObjectSource::new(self.0.bucket(&place.bucket), &place, version))
    }

    /// All objects below `s3://bucket/prefix` (whole parts of a path; without one, the whole bucket), sorted by name.
    pub async fn list(&self, url: &str) -> Result<Vec<FoundObject>, StoreError> {
        let place = Place::of_object(url)?;
        let bucket = self.0.bucket(&place.bucket);
        let folder = place.path.trim_end_matches('/');
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found = Vec::new();
        let purpose = Purpose { operation: "list", object: url };
        let query = Query { prefix: &prefix, depth: Depth::Objects };
        listing::each_page(&bucket, purpose, query, |page| {
            let url = |name| format!("s3://{}/{name}", place.bucket);
            found.extend(listing::objects_of(page).map(|(name, size)| FoundObject { url: url(name), size }));
        })
        .await?;
        found.sort();
        Ok(found)
    }
}

fn object_at(url: &str) -> Result<Place, StoreError> {
    let place = Place::of_object(url)?;
    if place.path.is_empty() {
        return Err(StoreError::invalid_url("the URL names a bucket and no object in it"));
    }
    Ok(place)
}

/// A version of an object.
#[derive(Debug, Clone)]
pub struct ObjectSource {
    bucket: Arc<Bucket>,
    name: Arc<str>,
    url: Arc<str>,
    version: Arc<ObjectVersion>,
}

impl ObjectSource {
    fn new(bucket: Arc<Bucket>, place: &Place, version: ObjectVersion) -> Self {
        let (name, url) = (place.path.as_str().into(), place.url().into());
        Self { bucket, name, url, version: Arc::new(version) }
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &ObjectVersion {
        &self.version
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.version.size
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A reader at the first byte. It blocks: it must be used on threads that may, while `runtime` runs on others.
    #[must_use]
    pub fn reader(&self, runtime: &Handle) -> ObjectReader {
        ObjectReader::new(self.clone(), runtime.clone())
    }

    /// Bytes `range`, which the object must have.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, StoreError> {
        let purpose = Purpose { operation: OPERATION, object: &self.url };
        let condition = Condition::Etag(&self.version.etag);
        let expected = range.end.saturating_sub(range.start);
        let bytes = objects::get_range(&self.bucket, purpose, &self.name, (range, condition)).await?;
        if bytes.len() as u64 != expected {
            let text = "the server sent another range than asked for";
            return Err(purpose.fails(StoreErrorKind::Transient, text));
        }
        Ok(bytes)
    }
}
