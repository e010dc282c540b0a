//! What runs without a commit hold of people: parts between the stages, and crops of an export that did not end.

use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_store::{Store, StoreError};

/// What a run without a commit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leftovers {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the last of them was written, seconds since 1970.
    pub written_unix_sec: u64,
}

fn prefixes(run: &RunRef) -> [String; 4] {
    let layout = RunLayout::new(run);
    [layout.work_prefix(), layout.frames_prefix(), layout.embeds_prefix(), layout.manifests_prefix()]
}

/// What the run holds that stages wrote; nothing where it holds nothing.
pub async fn leftovers(store: &dyn Store, run: &RunRef) -> Result<Option<Leftovers>, StoreError> {
    let mut found = Leftovers { objects: 0, bytes: 0, written_unix_sec: 0 };
    for prefix in prefixes(run) {
        for object in store.list(&prefix).await? {
            let written = store.written_unix_sec(&object.key).await?;
            found.objects += 1;
            found.bytes += object.size;
            found.written_unix_sec = found.written_unix_sec.max(written.unwrap_or(0));
        }
    }
    Ok((found.objects > 0).then_some(found))
}

/// Deletes what the stages left. Its workers must have been told to stop before.
pub async fn clear_uncommitted(store: &dyn Store, run: &RunRef) -> Result<(), StoreError> {
    for prefix in prefixes(run) {
        store.delete_prefix(&prefix).await?;
    }
    Ok(())
}
