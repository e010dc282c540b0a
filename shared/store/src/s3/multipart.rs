//! Large objects, sent in parts side by side: a cut connection costs a part, not the whole.
//!
//! Nobody sees the object before the upload is completed. An upload whose writer died stays on the server, invisible
//! and paid for; `abort_abandoned` removes those that are far older than any living one.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, MultipartUpload};
use bytes::Bytes;
use tokio::task::JoinSet;

use super::attempts::{Purpose, boxed};
use super::connect::Bucket;
use super::failure::{Failure, within};
use super::objects::{self, DIGEST, digest_of};
use crate::error::{StoreError, StoreErrorKind};

/// An upload under way.
#[derive(Debug, Clone)]
struct Upload {
    bucket: Arc<Bucket>,
    /// The key, as errors tell it.
    key: Arc<str>,
    /// The name in the bucket.
    name: Arc<str>,
    id: Arc<str>,
}

/// Writes an object in parts.
pub(super) async fn put(
    bucket: &Arc<Bucket>,
    purpose: Purpose<'_>,
    name: &str,
    bytes: Bytes,
) -> Result<(), StoreError> {
    let digest = digest_of(&bytes).await;
    let id = begin(bucket, purpose, (name, &digest)).await?;
    let upload =
        Upload { bucket: Arc::clone(bucket), key: purpose.object.into(), name: name.into(), id: id.into() };
    let sent = match upload.send_parts(&bytes).await {
        Ok(parts) => upload.complete(parts, &digest).await,
        Err(error) => Err(error),
    };
    if sent.is_err() {
        // The first error counts; if this fails too, a sweep removes the upload.
        let _ = abort_once(bucket, name, &upload.id).await;
    }
    sent
}

async fn begin(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    (name, digest): (&str, &str),
) -> Result<String, StoreError> {
    let attempt = || {
        boxed(async {
            let request = bucket.client.create_multipart_upload().bucket(&bucket.name).key(name);
            let request = request.metadata(DIGEST, digest);
            let limit = bucket.attempts.limits.attempt_with(0);
            let output = within(limit, async { Ok(request.send().await?) }).await?;
            let id = output.upload_id().map(str::to_owned);
            id.ok_or_else(|| Failure::transient("the server began an upload without a name"))
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

impl Upload {
    fn purpose(&self) -> Purpose<'_> {
        Purpose { operation: "write", object: &self.key }
    }

    /// Sends all parts; what the server calls them, in order.
    async fn send_parts(&self, bytes: &Bytes) -> Result<Vec<CompletedPart>, StoreError> {
        let limits = &self.bucket.attempts.limits;
        let mut sending = JoinSet::new();
        for (number, range) in (1..).zip(parts_of(bytes.len(), limits.part_bytes)) {
            let (upload, part) = (self.clone(), bytes.slice(range));
            sending.spawn(async move { upload.send_part(number, part).await });
        }
        let mut parts = Vec::with_capacity(sending.len());
        while let Some(sent) = sending.join_next().await {
            let failed =
                |e| StoreError::new(StoreErrorKind::Transient, "write", &self.key).with_source(Box::new(e));
            parts.push(sent.map_err(failed)??);
        }
        parts.sort_by_key(|part: &CompletedPart| part.part_number());
        Ok(parts)
    }

    async fn send_part(&self, number: i32, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let bucket = &self.bucket;
        let attempt = || {
            boxed(async {
                let request = bucket.client.upload_part().bucket(&bucket.name).key(&*self.name);
                let request = request.upload_id(&*self.id).part_number(number);
                let request = request.body(ByteStream::from(bytes.clone()));
                let limit = bucket.attempts.limits.attempt_with(bytes.len() as u64);
                let output = within(limit, async { Ok(request.send().await?) }).await?;
                let etag = output.e_tag().map(str::to_owned);
                Ok(CompletedPart::builder().part_number(number).set_e_tag(etag).build())
            })
        };
        bucket.attempts.run(self.purpose(), attempt).await
    }

    /// Makes the parts an object.
    async fn complete(&self, parts: Vec<CompletedPart>, digest: &str) -> Result<(), StoreError> {
        let bucket = &self.bucket;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let attempt = || {
            boxed(async {
                let request = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(&*self.name);
                let request = request.upload_id(&*self.id).multipart_upload(parts.clone());
                let limit = bucket.attempts.limits.attempt_with(0);
                within(limit, async { Ok(request.send().await.map(drop)?) }).await
            })
        };
        let Err(error) = bucket.attempts.run(self.purpose(), attempt).await else { return Ok(()) };
        // An attempt whose reply got lost may have completed it: the next one then finds no upload.
        let there = objects::head(bucket, self.purpose(), &self.name).await?;
        let ours = there.is_some_and(|facts| facts.digest.as_deref() == Some(digest));
        if ours { Ok(()) } else { Err(error) }
    }
}

/// Removes uploads below `prefix` that are older than any living one; how many there were.
pub(super) async fn abort_abandoned(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    prefix: &str,
) -> Result<u64, StoreError> {
    let mut aborted = 0;
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let attempt = || {
            boxed(async {
                let request = bucket.client.list_multipart_uploads().bucket(&bucket.name).prefix(prefix);
                let request =
                    request.set_key_marker(key_marker.clone()).set_upload_id_marker(id_marker.clone());
                within(bucket.attempts.limits.attempt_with(0), async { Ok(request.send().await?) }).await
            })
        };
        let page = bucket.attempts.run(purpose, attempt).await?;
        for upload in
            page.uploads().iter().filter(|u| is_abandoned(u, bucket.attempts.limits.abandoned_after))
        {
            let (Some(name), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
            bucket.attempts.run(purpose, || boxed(async { abort_once(bucket, name, id).await })).await?;
            aborted += 1;
        }
        let next =
            (page.next_key_marker().map(str::to_owned), page.next_upload_id_marker().map(str::to_owned));
        if page.is_truncated() != Some(true) || next.0.is_none() || next == (key_marker, id_marker) {
            return Ok(aborted);
        }
        (key_marker, id_marker) = next;
    }
}

/// Whether the upload began at least `age` ago. One that does not say when it began is left alone.
fn is_abandoned(upload: &MultipartUpload, age: Duration) -> bool {
    let Some(begun) = upload.initiated() else { return false };
    DateTime::from(SystemTime::now()).secs() - begun.secs() >= age.as_secs() as i64
}

async fn abort_once(bucket: &Bucket, name: &str, id: &str) -> Result<(), Failure> {
    let request = bucket.client.abort_multipart_upload().bucket(&bucket.name).key(name).upload_id(id);
    let limit = bucket.attempts.limits.attempt_with(0);
    match within(limit, async { Ok(request.send().await.map(drop)?) }).await {
        Err(failure) if failure.is_absence() => Ok(()),
        other => other,
    }
}

/// `len` bytes cut into parts of `part_bytes`, the last one shorter.
fn parts_of(len: usize, part_bytes: usize) -> impl Iterator<Item = Range<usize>> {
    let part_bytes = part_bytes.max(1);
    (0..len).step_by(part_bytes).map(move |start| start..len.min(start + part_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_byte_once() {
        assert_eq!(parts_of(10, 4).collect::<Vec<_>>(), [0..4, 4..8, 8..10]);
        assert_eq!(parts_of(8, 4).collect::<Vec<_>>(), [0..4, 4..8]);
        assert_eq!(parts_of(3, 4).collect::<Vec<_>>(), [0..3; 1]);
    }
}
