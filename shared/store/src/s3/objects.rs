//! Requests that concern one object.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use facereel_domain::digest::Sha256Digest;
use tokio::task::spawn_blocking;

use super::attempts::{Purpose, boxed};
use super::connect::Bucket;
use super::failure::{Failure, within};
use crate::error::{StoreError, StoreErrorKind};
use crate::seam::PutOutcome;

/// No server has larger objects (5 TiB).
pub(super) const LARGEST_OBJECT: u64 = 5 << 40;

/// Metadata: the SHA-256 of the object's bytes, in hexadecimal.
pub(super) const DIGEST: &str = "facereel-sha256";

/// Metadata: which create-only write made the object.
const TOKEN: &str = "facereel-token";

/// Bytes whose digest is soon made; more are left to a thread that may block.
const SOON_DIGESTED: usize = 256 * 1024;

/// What is known of an object without reading it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) size: u64,
    /// Seconds since 1970; the present where the server does not tell, so that nothing counts as old.
    pub(super) written_unix_sec: u64,
    /// Names the content: another one has another tag.
    pub(super) etag: Option<String>,
    pub(super) digest: Option<String>,
    token: Option<String>,
}

/// What must hold of an object for a read to go on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition<'a> {
    /// Nothing.
    None,
    /// It still has this tag.
    Etag(&'a str),
}

/// Writes an object in one request.
pub(super) async fn put(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    name: &str,
    bytes: Bytes,
) -> Result<(), StoreError> {
    let digest = digest_of(&bytes).await;
    bucket
        .attempts
        .run(purpose, || boxed(async { send(bucket, put_request(bucket, name, &digest), &bytes).await }))
        .await
}

/// Writes an object unless there is one.
pub(super) async fn create(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    name: &str,
    bytes: Bytes,
) -> Result<PutOutcome, StoreError> {
    let digest = digest_of(&bytes).await;
    let token = format!("{:016x}", RandomState::new().hash_one(process::id()));
    let attempt = || {
        boxed(async {
            let request = put_request(bucket, name, &digest).if_none_match("*").metadata(TOKEN, &token);
            match send(bucket, request, &bytes).await {
                Ok(()) => Ok(PutOutcome::Created),
                Err(failure) if failure.is_unmet_condition() => {
                    // An earlier attempt may have written it, its reply lost on the way.
                    let there = head_once(bucket, name).await?;
                    let there = there.ok_or_else(|| Failure::transient("it existed and is gone again"))?;
                    let ours = there.token.as_ref() == Some(&token) && there.digest.as_ref() == Some(&digest);
                    Ok(if ours { PutOutcome::Created } else { PutOutcome::Exists })
                }
                Err(failure) => Err(failure),
            }
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

fn put_request(bucket: &Bucket, name: &str, digest: &str) -> PutObjectFluentBuilder {
    bucket.client.put_object().bucket(&bucket.name).key(name).metadata(DIGEST, digest)
}

async fn send(bucket: &Bucket, request: PutObjectFluentBuilder, bytes: &Bytes) -> Result<(), Failure> {
    let limit = bucket.attempts.limits.attempt_with(bytes.len() as u64);
    let request = request.body(ByteStream::from(bytes.clone()));
    within(limit, async { Ok(request.send().await.map(drop)?) }).await
}

/// The whole object, its digest checked.
pub(super) async fn get(bucket: &Bucket, purpose: Purpose<'_>, name: &str) -> Result<Bytes, StoreError> {
    let attempt = || {
        boxed(async {
            let request = bucket.client.get_object().bucket(&bucket.name).key(name);
            let limit = bucket.attempts.limits.attempt_with(0);
            let output = within(limit, async { Ok(request.send().await?) }).await?;
            let expected = output.metadata().and_then(|metadata| metadata.get(DIGEST)).cloned();
            let bytes = body_of(bucket, output).await?;
            match expected {
                Some(expected) if expected != digest_of(&bytes).await => {
                    Err(Failure::transient("the bytes that came are not those that were written"))
                }
                _ => Ok(bytes),
            }
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

/// Bytes of the object; fewer where it is too short.
pub(super) async fn get_range(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    name: &str,
    (range, condition): (Range<u64>, Condition<'_>),
) -> Result<Bytes, StoreError> {
    let attempt = || {
        boxed(async {
            let last = range.end.saturating_sub(1);
            let bytes = format!("bytes={}-{last}", range.start);
            let mut request = bucket.client.get_object().bucket(&bucket.name).key(name).range(bytes);
            if let Condition::Etag(etag) = condition {
                request = request.if_match(etag);
            }
            let limit = bucket.attempts.limits.attempt_with(0);
            let output = within(limit, async { Ok(request.send().await?) }).await;
            let replaced = |failure: Failure| {
                if failure.is_unmet_condition() {
                    let text = "its ETag is another one than at first";
                    return Failure::new(StoreErrorKind::Replaced, text);
                }
                failure
            };
            body_of(bucket, output.map_err(replaced)?).await
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

/// All bytes of an answer; a cut connection is a failure like any other.
async fn body_of(bucket: &Bucket, output: GetObjectOutput) -> Result<Bytes, Failure> {
    let announced = output.content_length().and_then(|len| u64::try_from(len).ok());
    let limit = bucket.attempts.limits.attempt_with(announced.unwrap_or_default());
    let body = async { output.body.collect().await.map_err(|e| Failure::broken_body(&e)) };
    let bytes = within(limit, body).await?.into_bytes();
    match announced {
        Some(len) if len != bytes.len() as u64 => {
            Err(Failure::transient(format!("{} bytes came of {len}", bytes.len())))
        }
        _ => Ok(bytes),
    }
}

/// What is known of the object; nothing where there is none.
pub(super) async fn head(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    name: &str,
) -> Result<Option<Facts>, StoreError> {
    bucket.attempts.run(purpose, || boxed(async { head_once(bucket, name).await })).await
}

async fn head_once(bucket: &Bucket, name: &str) -> Result<Option<Facts>, Failure> {
    let request = bucket.client.head_object().bucket(&bucket.name).key(name);
    let limit = bucket.attempts.limits.attempt_with(0);
    match within(limit, async { Ok(request.send().await?) }).await {
        Ok(output) => {
            let metadata = |name| output.metadata().and_then(|all| all.get(name)).cloned();
            Ok(Some(Facts {
                size: output.content_length().and_then(|len| u64::try_from(len).ok()).unwrap_or_default(),
                written_unix_sec: written_unix_sec(&output),
                etag: output.e_tag().map(str::to_owned),
                digest: metadata(DIGEST),
                token: metadata(TOKEN),
            }))
        }
        Err(failure) if failure.is_absence() => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn written_unix_sec(output: &HeadObjectOutput) -> u64 {
    let told = output.last_modified().and_then(|at| u64::try_from(at.secs()).ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    told.unwrap_or_else(now)
}

/// Removes the object where there is one.
pub(super) async fn delete(bucket: &Bucket, purpose: Purpose<'_>, name: &str) -> Result<(), StoreError> {
    let attempt = || {
        boxed(async {
            let request = bucket.client.delete_object().bucket(&bucket.name).key(name);
            let limit = bucket.attempts.limits.attempt_with(0);
            match within(limit, async { Ok(request.send().await.map(drop)?) }).await {
                Err(failure) if failure.is_absence() => Ok(()),
                other => other,
            }
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

/// The SHA-256 of `bytes` in hexadecimal.
pub(super) async fn digest_of(bytes: &Bytes) -> String {
    if bytes.len() <= SOON_DIGESTED {
        return Sha256Digest::of(bytes).to_string();
    }
    let shared = bytes.clone();
    let digest = spawn_blocking(move || Sha256Digest::of(&shared)).await;
    // The task fails only if the runtime shuts down: then nobody waits for speed.
    digest.unwrap_or_else(|_| Sha256Digest::of(bytes)).to_string()
}
