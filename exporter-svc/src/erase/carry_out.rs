//! Does what a record says. May be repeated from any point on: each step looks at what is there.

use std::collections::BTreeSet;

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::TrackId;
use facereel_domain::layout::{EpisodeLayout, RunLayout};
use facereel_store::{Store, if_there};

use super::record::ErasureRecord;
use super::rewrite::{Cut, rewritten};
use super::{EraseError, Scope};
use crate::commit::{Artifact, CurrentRun};

/// Whether an erasure of `scope` takes the whole file at `path`.
pub(super) fn takes(scope: &Scope, layout: &RunLayout, path: &str) -> bool {
    let below = |prefix: String| {
        let key = format!("{}/{path}", layout.prefix());
        key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('/'))
    };
    match scope {
        Scope::Run => {
            let rows = [layout.detections_jsonl(), layout.tracks_jsonl(), layout.faces_jsonl()];
            [layout.frames_prefix(), layout.embeds_prefix(), layout.work_prefix()].into_iter().any(below)
                || rows.iter().any(|key| layout.relative(key) == path)
        }
        Scope::Tracks(tracks) => {
            below(layout.work_prefix()) || tracks.iter().any(|track| below(layout.crops_prefix(*track)))
        }
    }
}

/// Takes what the record names, and insists that it is gone.
pub(super) async fn carry_out(store: &dyn Store, record: &ErasureRecord) -> Result<(), EraseError> {
    remove(store, record).await?;
    if let Scope::Tracks(tracks) = record.scope() {
        for artifact in &record.replaced {
            replace(store, record, (artifact, &tracks)).await?;
        }
    }
    if let Some(path) = returned(store, record).await? {
        return Err(EraseError::Returned { path });
    }
    renew_links(store, record).await
}

/// Deletes the files that go as a whole.
pub(super) async fn remove(store: &dyn Store, record: &ErasureRecord) -> Result<(), EraseError> {
    let layout = RunLayout::new(&record.run);
    // What lies between the stages has everybody's faces in it, and no reader.
    store.delete_prefix(&layout.work_prefix()).await?;
    match record.scope() {
        Scope::Run => {
            for prefix in [layout.frames_prefix(), layout.embeds_prefix()] {
                store.delete_prefix(&prefix).await?;
            }
            for key in [layout.detections_jsonl(), layout.tracks_jsonl(), layout.faces_jsonl()] {
                store.delete(&key).await?;
            }
        }
        Scope::Tracks(tracks) => {
            for track in &tracks {
                store.delete_prefix(&layout.crops_prefix(*track)).await?;
            }
        }
    }
    Ok(())
}

/// Something that the erasure took and that is there all the same.
pub(super) async fn returned(
    store: &dyn Store,
    record: &ErasureRecord,
) -> Result<Option<String>, EraseError> {
    let (layout, scope) = (RunLayout::new(&record.run), record.scope());
    let listed = store.list(layout.prefix()).await?;
    let mut paths = listed.iter().map(|object| layout.relative(&object.key));
    Ok(paths.find(|path| takes(&scope, &layout, path)))
}

/// Writes a file anew, unless that was done before.
async fn replace(
    store: &dyn Store,
    record: &ErasureRecord,
    (after, tracks): (&Artifact, &BTreeSet<TrackId>),
) -> Result<(), EraseError> {
    let path = after.path.as_str();
    let damaged = |what: String| EraseError::Damaged { path: path.to_owned(), what };
    let key = RunLayout::new(&record.run).artifact(path);
    let key = key.ok_or_else(|| damaged("is no name of a file".to_owned()))?;
    let bytes = if_there(store.get(&key).await)?;
    let bytes = bytes.ok_or_else(|| damaged("is missing".to_owned()))?;
    if Sha256Digest::of(&bytes) == after.sha256 {
        return Ok(());
    }
    let cut = Cut { tracks, rows: &record.zeroed_rows };
    let rewritten = rewritten(path, &bytes, cut).map_err(|spoilt| damaged(spoilt.to_string()))?;
    if Sha256Digest::of(&rewritten) != after.sha256 {
        return Err(damaged("is neither as it was nor as it is to be".to_owned()));
    }
    Ok(store.put(&key, rewritten.into()).await?)
}

/// Links of people to the run, which may lead to folders that are gone now.
async fn renew_links(store: &dyn Store, record: &ErasureRecord) -> Result<(), EraseError> {
    let pointer = store.get(&EpisodeLayout::new(&record.run.ep_id).current()).await;
    let Some(pointer) = if_there(pointer)? else { return Ok(()) };
    let current: Option<CurrentRun> = serde_json::from_slice(&pointer).ok();
    if current.is_some_and(|current| current.run == record.run) {
        store.show_committed(&record.run).await?;
    }
    Ok(())
}
