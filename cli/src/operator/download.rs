//! Bringing a committed run to this machine: what it still has.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use exporter_svc::erase::RunState;
use exporter_svc::{Artifact, WorkObjects, after_commit};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_store::{LocalStore, PutOutcome, Store, if_there};
use serde::Serialize;

use super::side_by_side::side_by_side;

/// Artifacts that are on their way or in memory together.
const BATCH: usize = 64;

/// What was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Download {
    /// Artifacts of the run.
    pub(crate) artifacts: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Artifacts that were here already.
    pub(crate) were_here: u64,
}

/// Copies the committed run to `folder`, laid out as a store: artifacts first, each compared with its digest, the
/// commit last. So an interrupted download is continued by the next one and never taken for a whole one.
pub(crate) async fn download(store: &Arc<dyn Store>, run: &RunRef, folder: &Path) -> Result<Download> {
    let layout = RunLayout::new(run);
    let commit = store.get(&layout.manifest()).await?;
    let state = RunState::read(store.as_ref(), run).await.with_context(|| store.url())?;
    if state.unfinished().is_some() {
        bail!(
            "an erasure of run {} is not finished: `facereel verify` tells which command finishes it",
            run.run_id
        );
    }
    let local = LocalStore::open(folder)?;
    let mut brought = Download::default();
    for artifacts in state.remains.artifacts.chunks(BATCH) {
        let copies = side_by_side(artifacts.iter().cloned(), |artifact| {
            copy(Arc::clone(store), local.clone(), (layout.clone(), artifact))
        });
        let (mut objects, mut were_here) = (Vec::new(), 0);
        for copied in copies.await? {
            match copied {
                Some(object) => objects.push(object),
                None => were_here += 1,
            }
        }
        brought.artifacts += artifacts.len() as u64;
        brought.bytes += artifacts.iter().map(|artifact| artifact.size_bytes).sum::<u64>();
        brought.were_here += were_here;
        local.put_all(objects).await?;
    }
    let records = store.list(&layout.erasures_prefix()).await?;
    let besides = [layout.settings(), layout.run_stats()].into_iter();
    for key in besides.chain(records.into_iter().map(|record| record.key)) {
        copy_if_there(store.as_ref(), &local, &key).await?;
    }
    if local.put_if_absent(&layout.manifest(), commit.clone()).await? == PutOutcome::Exists
        && local.get(&layout.manifest()).await? != commit
    {
        bail!(
            "{}/{} is another commit of the same run: fetch into another folder",
            local.url(),
            layout.manifest()
        );
    }
    after_commit(&local, run, WorkObjects::Keep).await?;
    Ok(brought)
}

/// The artifact's key and bytes; nothing where they are here already.
async fn copy(
    store: Arc<dyn Store>,
    local: LocalStore,
    (layout, artifact): (RunLayout, Artifact),
) -> Result<Option<(ObjectKey, Bytes)>> {
    let key: ObjectKey = format!("{}/{}", layout.prefix(), artifact.path).parse()?;
    if let Ok(here) = local.get(&key).await
        && Sha256Digest::of(&here) == artifact.sha256
    {
        return Ok(None);
    }
    let bytes = store.get(&key).await?;
    if Sha256Digest::of(&bytes) != artifact.sha256 {
        bail!("{}/{key} has another digest than the commit says: `facereel verify` tells more", store.url());
    }
    Ok(Some((key, bytes)))
}

async fn copy_if_there(store: &dyn Store, local: &LocalStore, key: &ObjectKey) -> Result<()> {
    if let Some(bytes) = if_there(store.get(key).await)? {
        local.put(key, bytes).await?;
    }
    Ok(())
}
