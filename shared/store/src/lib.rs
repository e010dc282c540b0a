//! Where objects lie: parts between stages, and the artifacts that readers come for.
//!
//! Stages see [`Store`] only; which implementation stands behind it is chosen by URL ([`open`]). Keys come from
//! `facereel_domain::layout`; a key that exists is safe in a path.
//!
//! Every implementation promises, and the [`conformance`] suite checks:
//!
//! 1. **All or nothing.** A reader sees an object whole, as one writer wrote it, or not at all, whenever writers die.
//!    Objects of `put` stay so over power failures too; those of `put_all` from the next `put_if_absent` on.
//! 2. **Last writer wins** with `put`. Jobs write equal bytes under equal keys, so that this harms nobody.
//! 3. **First writer wins** with `put_if_absent`: of any number of racing writers exactly one is told `Created`,
//!    and what it wrote stays. It is the commit: everything written before it is as durable as itself once it
//!    returns.
//! 4. **Read your writes.** After `put` returned, `get`, `head` and `list` show the object to everybody.
//! 5. **Ranges** are exact: the bytes asked for, or an error where the object is too short to have them.
//! 6. **Lists** are complete, sorted by key, and hold whole objects only. A prefix means whole parts of a path:
//!    `a/b` lists `a/b/c`, but neither `a/bc` nor `a/b` itself.
//! 7. **Absence is no error** to `head`, `list`, `delete` and `delete_prefix`; to `get` and `get_range` it is
//!    `NotFound`.
//! 8. **Errors** tell kind, operation and key, and whether trying again can help. After an error a write may have
//!    happened or not (a reply can get lost).
//! 9. **Times of writing** are the store's own. They are for rules of retention; nothing else may depend on them.
//!
//! Callers promise that no object's key is a folder of another's (`a` and `a/b`): file systems can't have both.
//!
//! Deliberately absent: rename and copy (objects are written once, where they belong), and appending.

pub mod conformance;
pub mod error;
pub mod faulty;
pub mod local;
pub mod memory;
pub mod probe;
pub mod s3;
pub mod seam;

use std::path::Path;
use std::sync::Arc;

use facereel_domain::settings::StoreSettings;

pub use error::{StoreError, StoreErrorKind, if_there};
pub use faulty::FaultyStore;
pub use local::LocalStore;
pub use memory::MemoryStore;
pub use probe::{ConditionalWrites, Probe, probe};
pub use s3::{ObjectReader, ObjectSource, S3Options, S3Sources, S3Store};
pub use seam::{ObjectMeta, OldVersions, PutOutcome, Store};

/// Opens the store that the settings name.
pub async fn open_settings(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    open_with(&settings.url, &S3Options::from_settings(settings)?).await
}

/// Opens the store that `url` names.
///
/// - `file:///folder` or a plain path: a local folder, made by the first write;
/// - `memory:`: in this process, gone with it;
/// - `s3://bucket/prefix?endpoint=http://host:port&region=name&path_style=true`: a bucket, asked for before this
///   returns; all behind `?` may be left out.
///
/// The URL is never repeated in the error: it may hold a secret.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    open_with(url, &S3Options::default()).await
}

/// The same, with settings for the case that it is an S3 store.
pub async fn open_with(url: &str, s3: &S3Options) -> Result<Arc<dyn Store>, StoreError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::default())),
        Some(("s3", rest)) if rest.starts_with("//") => Ok(Arc::new(S3Store::open(url, s3).await?)),
        Some(("file", rest)) => Ok(Arc::new(LocalStore::open(file_url_path(rest)?)?)),
        Some((scheme, rest)) if rest.starts_with("//") => Err(StoreError::invalid_url(&format!(
            "there is no store with scheme '{scheme}'; supported: file:///folder, a plain path, memory:, s3://bucket/prefix"
        ))),
        _ if url.is_empty() => Err(StoreError::invalid_url("the store's URL is empty")),
        _ => Ok(Arc::new(LocalStore::open(Path::new(url))?)),
    }
}

/// The path of a file URL, from what follows `file:`.
fn file_url_path(rest: &str) -> Result<&Path, StoreError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(StoreError::invalid_url("a file URL has three slashes: file:///folder"));
    }
    if path.contains('%') {
        let text = "a file URL with '%' is ambiguous: give the folder as a plain path instead";
        return Err(StoreError::invalid_url(text));
    }
    Ok(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_store_is_chosen_by_url() {
        for (url, shown) in [
            ("file:///srv/facereel", "file:///srv/facereel"),
            ("/srv/facereel", "file:///srv/facereel"),
            ("memory:", "memory:"),
        ] {
            assert_eq!(open(url).await.expect(url).url(), shown);
        }
        let relative = open("out/data").await.expect("a relative path").url();
        assert!(relative.starts_with("file:///") && relative.ends_with("/out/data"), "{relative}");
    }

    #[tokio::test]
    async fn urls_that_name_no_store_are_refused_with_a_reason() {
        for (url, reason) in [
            ("ftp://user:secret@host/x", "supported: file:///folder"),
            ("file://host/x", "three slashes"),
            ("file:///a%20b", "plain path"),
            ("", "empty"),
        ] {
            let error = open(url).await.err().unwrap_or_else(|| panic!("{url} was accepted"));
            assert!(error.is_permanent());
            let text = error.to_string();
            assert!(text.contains(reason) && !text.contains("secret"), "{url}: {text}");
        }
    }
}
