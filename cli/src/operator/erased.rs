//! What was erased of a run, in words.

use anyhow::Result;
use exporter_svc::erase::{Extent, RunState};
use facereel_domain::ids::RunRef;
use facereel_store::Store;

use super::clock::utc;

/// `all faces were erased on …`, of a finished run; nothing where all are there.
pub(crate) async fn what_was_erased(store: &dyn Store, run: &RunRef) -> Result<Option<String>> {
    let state = RunState::read(store, run).await?;
    if state.unfinished().is_some() {
        return Ok(Some("an erasure of it is not finished".to_owned()));
    }
    let Some(done) = state.records.last().and_then(|last| last.done.as_ref()) else { return Ok(None) };
    let at = utc(done.done_unix_sec);
    Ok(match state.remains.extent {
        Extent::Nothing => None,
        Extent::Run => Some(format!("all its faces were erased, {at}")),
        Extent::Tracks(tracks) => {
            Some(format!("the faces of {} tracks were erased, the last {at}", tracks.len()))
        }
    })
}
