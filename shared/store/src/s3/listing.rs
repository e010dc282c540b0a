//! Lists, in pages, and deleting what they show.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use tokio::task::{JoinError, JoinSet};

use super::S3Store;
use super::attempts::{Purpose, boxed};
use super::failure::{Failure, within};
use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{ObjectMeta, Store as _};

/// As many objects as one request may delete.
const DELETED_AT_ONCE: usize = 1000;

/// Everything whose key begins with `folder`, sorted. What no key can name is not ours and left out.
pub(super) async fn list(
    store: &S3Store,
    purpose: Purpose<'_>,
    folder: &str,
) -> Result<Vec<ObjectMeta>, StoreError> {
    let prefix = store.full(folder);
    let root = prefix.len() - folder.len();
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = page(store, purpose, (&prefix, next.as_deref())).await?;
        for object in page.contents() {
            let key = object.key().and_then(|name| name.get(root..)?.parse().ok());
            let size = object.size().and_then(|size| u64::try_from(size).ok());
            if let (Some(key), Some(size)) = (key, size) {
                found.push(ObjectMeta { key, size });
            }
        }
        next = page.next_continuation_token().map(str::to_owned);
        if page.is_truncated() != Some(true) || next.is_none() {
            break;
        }
    }
    // Servers sort by the whole name; some of them folder by folder.
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

async fn page(
    store: &S3Store,
    purpose: Purpose<'_>,
    (prefix, from): (&str, Option<&str>),
) -> Result<ListObjectsV2Output, StoreError> {
    let bucket = &store.bucket;
    let attempt = || {
        boxed(async {
            let request = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(prefix);
            let request = request.set_continuation_token(from.map(str::to_owned));
            within(bucket.attempts.limits.attempt_with(0), async { Ok(request.send().await?) }).await
        })
    };
    bucket.attempts.run(purpose, attempt).await
}

/// Deletes everything whose key begins with `folder`.
pub(super) async fn delete_below(
    store: &S3Store,
    purpose: Purpose<'_>,
    folder: &str,
) -> Result<(), StoreError> {
    let found = list(store, purpose, folder).await?;
    let mut deletions = JoinSet::new();
    for batch in found.chunks(DELETED_AT_ONCE) {
        let names: Vec<String> = batch.iter().map(|meta| store.full(meta.key.as_str())).collect();
        let (store, prefix) = (store.clone(), purpose.object.to_owned());
        deletions.spawn(async move { delete_batch(&store, &prefix, &names).await });
    }
    while !deletions.is_empty() {
        finished(deletions.join_next().await, store)?;
    }
    Ok(())
}

async fn delete_batch(store: &S3Store, prefix: &str, names: &[String]) -> Result<(), StoreError> {
    let bucket = &store.bucket;
    let attempt = || {
        boxed(async {
            let invalid =
                |e: aws_sdk_s3::error::BuildError| Failure::new(StoreErrorKind::Invalid, e.to_string());
            let objects: Result<Vec<_>, _> =
                names.iter().map(|name| ObjectIdentifier::builder().key(name).build()).collect();
            let delete = Delete::builder().set_objects(Some(objects.map_err(invalid)?)).quiet(true).build();
            let request =
                bucket.client.delete_objects().bucket(&bucket.name).delete(delete.map_err(invalid)?);
            let limit = bucket.attempts.limits.attempt_with(0);
            let output = within(limit, async { Ok(request.send().await?) }).await?;
            match output.errors().first() {
                Some(error) => Err(Failure::transient(format!(
                    "the server could not delete {} objects, the first because of {}",
                    output.errors().len(),
                    error.code().unwrap_or("a reason that it does not tell"),
                ))),
                None => Ok(()),
            }
        })
    };
    let purpose = Purpose { operation: "delete everything below", object: prefix };
    bucket.attempts.run(purpose, attempt).await
}

/// The outcome of one of several tasks.
pub(super) fn finished<T>(
    task: Option<Result<Result<T, StoreError>, JoinError>>,
    store: &S3Store,
) -> Result<Option<T>, StoreError> {
    match task {
        Some(Ok(outcome)) => outcome.map(Some),
        Some(Err(failed)) => {
            let place = store.url();
            Err(StoreError::new(StoreErrorKind::Transient, "work on", &place).with_source(failed))
        }
        None => Ok(None),
    }
}
