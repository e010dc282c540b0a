//! Lists, in pages, and deleting what they show.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use facereel_domain::layout::ObjectKey;
use tokio::task::{JoinError, JoinSet};

use super::S3Store;
use super::attempts::{Purpose, boxed};
use super::connect::Bucket;
use super::failure::{Failure, within};
use crate::error::{StoreError, StoreErrorKind};
use crate::seam::{ObjectMeta, Store as _};

/// As many objects as one request may delete.
const DELETED_AT_ONCE: usize = 1000;

/// What a list asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    /// What names begin with.
    pub(super) prefix: &'a str,
    /// Whether what lies deeper is shown one by one or by folder.
    pub(super) depth: Depth,
}

/// How deep a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Every object.
    Objects,
    /// Objects of this folder, and names of the folders in it.
    Folders,
}

/// Everything whose key begins with `folder`, sorted. What no key can name is not ours and left out.
pub(super) async fn list(
    store: &S3Store,
    purpose: Purpose<'_>,
    folder: &str,
) -> Result<Vec<ObjectMeta>, StoreError> {
    let prefix = store.full(folder);
    let root = prefix.len() - folder.len();
    let mut found = Vec::new();
    let query = Query { prefix: &prefix, depth: Depth::Objects };
    each_page(&store.bucket, purpose, query, |page| {
        found.extend(objects_of(page).filter_map(|(name, size)| {
            let key = name.get(root..)?.parse().ok()?;
            Some(ObjectMeta { key, size })
        }));
    })
    .await?;
    // Servers sort by the whole name; some of them folder by folder.
    found.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(found)
}

/// Names of the folders directly in `folder`, sorted.
pub(super) async fn folders(
    store: &S3Store,
    purpose: Purpose<'_>,
    folder: &str,
) -> Result<Vec<String>, StoreError> {
    let prefix = store.full(folder);
    let mut found = Vec::new();
    let query = Query { prefix: &prefix, depth: Depth::Folders };
    each_page(&store.bucket, purpose, query, |page| {
        let names = page.common_prefixes().iter().filter_map(|common| common.prefix());
        let below = names.filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix('/'));
        found.extend(below.filter(|name| name.parse::<ObjectKey>().is_ok()).map(str::to_owned));
    })
    .await?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// Names and sizes of a page's objects.
pub(super) fn objects_of(page: &ListObjectsV2Output) -> impl Iterator<Item = (&str, u64)> {
    page.contents().iter().filter_map(|object| Some((object.key()?, u64::try_from(object.size()?).ok()?)))
}

/// Shows every page of a list to `visit`.
pub(super) async fn each_page(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    query: Query<'_>,
    mut visit: impl FnMut(&ListObjectsV2Output) + Send,
) -> Result<(), StoreError> {
    let mut next: Option<String> = None;
    loop {
        let page = page(bucket, purpose, (query, next.as_deref())).await?;
        visit(&page);
        next = page.next_continuation_token().map(str::to_owned);
        if page.is_truncated() != Some(true) || next.is_none() {
            return Ok(());
        }
    }
}

async fn page(
    bucket: &Bucket,
    purpose: Purpose<'_>,
    (query, from): (Query<'_>, Option<&str>),
) -> Result<ListObjectsV2Output, StoreError> {
    let delimiter = (query.depth == Depth::Folders).then(|| "/".to_owned());
    let attempt = || {
        boxed(async {
            let request = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(query.prefix);
            let request = request.set_delimiter(delimiter.clone());
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
                Some(error) => {
                    let (count, code) = (output.errors().len(), error.code());
                    let reason = code.unwrap_or("a reason that it does not tell");
                    let text =
                        format!("the server did not delete {count} objects, the first because of {reason}");
                    Err(match code {
                        Some("AccessDenied") => Failure::new(StoreErrorKind::Denied, text),
                        _ => Failure::transient(text),
                    })
                }
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
