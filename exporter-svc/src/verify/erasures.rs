//! The records of erasures: readable, of this run, and finished.

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::{RunRef, TrackId};
use facereel_domain::layout::RunLayout;
use facereel_store::{Store, StoreError};
use serde::Serialize;

use super::problems::Problems;
use crate::erase::{EraseError, Recorded, read_records};

/// An erasure that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedNote {
    /// Place among the run's erasures, from 1.
    pub number: u32,
    /// Whose faces; null: everybody's.
    pub tracks: Option<Vec<TrackId>>,
    /// Why, as it was said then.
    pub reason: Option<String>,
    /// When all of it was gone, seconds since 1970.
    pub done_unix_sec: u64,
}

/// The run's erasures; `None` where one is unfinished or can't be used, so that nothing else can be checked.
pub(super) async fn read(
    store: &dyn Store,
    (run, manifest_sha256): (&RunRef, Sha256Digest),
    problems: &mut Problems,
) -> Result<Option<Vec<Recorded>>, StoreError> {
    let records = match read_records(store, run, manifest_sha256).await {
        Ok(records) => records,
        Err(EraseError::Store(error)) => return Err(error),
        Err(EraseError::Unusable { path, why }) => {
            problems.add(&path, why);
            return Ok(None);
        }
        Err(error) => {
            problems.add(super::MANIFEST, error.to_string());
            return Ok(None);
        }
    };
    if let Some(Recorded { record, .. }) = records.iter().find(|recorded| recorded.done.is_none()) {
        let layout = RunLayout::new(run);
        let path = layout.relative(&layout.erasure_begun(record.number));
        let command = command(run, record.tracks.as_deref());
        let what = format!("this erasure was begun and not finished: `{command}` finishes it");
        problems.add(&path, what);
        return Ok(None);
    }
    Ok(Some(records))
}

/// The command that erases this much of the run.
fn command(run: &RunRef, tracks: Option<&[TrackId]>) -> String {
    let mut words = vec![format!("facereel erase {} --run {}", run.ep_id, run.run_id)];
    words.extend(tracks.into_iter().flatten().map(|track| format!("--track {track}")));
    words.join(" ")
}

/// The finished ones, for people.
pub(super) fn notes(records: &[Recorded]) -> Vec<ErasedNote> {
    let note = |recorded: &Recorded| {
        let Recorded { record, done } = recorded;
        Some(ErasedNote {
            number: record.number,
            tracks: record.tracks.clone(),
            reason: record.reason.clone(),
            done_unix_sec: done.as_ref()?.done_unix_sec,
        })
    };
    records.iter().filter_map(note).collect()
}
