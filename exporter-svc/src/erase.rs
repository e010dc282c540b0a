//! Takes faces out of finished runs: all of them, or those of chosen tracks.
//!
//! Promises:
//!
//! 1. **Nothing claims to be erased which is not.** A record of what an erasure takes is written first
//!    (`erasures/0001-begun.json`), then it is taken, then the store is asked whether it is gone, and only then a second
//!    record says so (`erasures/0001-done.json`). Both are create-only.
//! 2. **Dying on the way is harmless.** Whoever comes next finishes what was begun, before anything else (but for an
//!    erasure of everything, which finishes all), to the same bytes: the record alone says what becomes of each file, whichever files were done already.
//! 3. **The commit stays as it is**, digests of what is gone too. The commit and the records together say what a run
//!    still has ([`remains`]); verification goes by both.
//! 4. **What was not asked for stays, byte for byte**: rows of other tracks, their numbers, their rows in the vectors.
//!
//! Why it is done like this is in `docs/adr/0005-erasures-are-recorded-beside-the-commit.md`.
//!
//! Deliberately absent: taking anything out of copies that were fetched, older versions of a bucket, or backups.

mod carry_out;
mod leftovers;
mod plan;
mod record;
mod remains;
mod rewrite;
mod state;

use std::collections::BTreeSet;

use facereel_domain::ids::{RunRef, TrackId};
use facereel_store::{PutOutcome, Store, StoreError};

pub use self::leftovers::{Leftovers, clear_uncommitted, leftovers};
pub use self::record::{ErasureDone, ErasureRecord, Recorded, ZeroedRows};
pub use self::remains::{Extent, Remains, remains};
pub use self::state::{RunState, read_records};

use self::carry_out::{carry_out, remove, returned};
use self::plan::plan;
use crate::commit::to_pretty_json;

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every face of the run.
    Run,
    /// The faces of these tracks.
    Tracks(BTreeSet<TrackId>),
}

/// An erasure that somebody wants.
#[derive(Debug, Clone)]
pub struct Order {
    /// What is to be erased.
    pub scope: Scope,
    /// Why, for the record.
    pub reason: Option<String>,
    /// Tells the time, in seconds since 1970.
    pub clock: fn() -> u64,
}

/// What an order comes to, before anything is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// An erasure that was begun and not finished: it is finished first, and only then can be told what is left to do.
    pub unfinished: Option<ErasureRecord>,
    /// What would be erased; nothing where it is erased already, or something is unfinished.
    pub next: Option<ErasureRecord>,
}

/// Why an erasure can't be done, or went no further.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The store failed; what was begun is recorded.
    #[error("the erasure did not come to its end: the same command continues it")]
    Store(#[from] StoreError),
    /// The commit or a record can't be used.
    #[error("{path} can't be used: {why}; look at it, then delete the run's folder as a whole")]
    Unusable {
        /// The file, relative to the run's folder.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The run has no commit.
    #[error("run {} of episode {} is not finished", .0.run_id, .0.ep_id)]
    NotFinished(RunRef),
    /// The run has no such track.
    #[error("there is no track {track}: the run has {tracks}, numbered from 1")]
    NoSuchTrack {
        /// The number that was asked for.
        track: TrackId,
        /// How many tracks the run has.
        tracks: u64,
    },
    /// A file is not what it must be, so that nobody can tell what of it belongs to whom.
    #[error(
        "{path} {what}: single tracks can't be told apart in it (`facereel verify` tells more); the whole run can be \
         erased in any case, without --track"
    )]
    Damaged {
        /// The file, relative to the run's folder.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// What was deleted is there again.
    #[error(
        "{path} was deleted and is there again: something still works on the run; the same command continues"
    )]
    Returned {
        /// The file, relative to the run's folder.
        path: String,
    },
}

/// Says what `order` comes to; changes nothing.
pub async fn preview(store: &dyn Store, run: &RunRef, order: &Order) -> Result<Preview, EraseError> {
    let state = RunState::read(store, run).await?;
    if let Some(unfinished) = to_be_finished(&state, order) {
        return Ok(Preview { unfinished: Some(unfinished.clone()), next: None });
    }
    Ok(Preview { unfinished: None, next: plan(store, &state, order).await? })
}

/// Finishes what was begun, then does what `order` says; what was done now, in this order. Nothing where all of it was
/// erased before.
pub async fn erase(store: &dyn Store, run: &RunRef, order: &Order) -> Result<Vec<ErasureRecord>, EraseError> {
    let mut erased = Vec::new();
    loop {
        let state = RunState::read(store, run).await?;
        let record = if let Some(unfinished) = to_be_finished(&state, order) {
            unfinished.clone()
        } else {
            let Some(record) = plan(store, &state, order).await? else {
                take_again(store, &state).await?;
                return Ok(erased);
            };
            if begin(store, &record).await? == PutOutcome::Exists {
                // Somebody else began one at this moment: look again.
                continue;
            }
            record
        };
        carry_out(store, &record).await?;
        finish(store, (&state, &record), order.clock).await?;
        erased.push(record);
    }
}

/// What was begun and must be finished before `order` can be. An erasure of everything needs nothing finished before it,
/// and finishes all: also where files are damaged, so that single tracks can't be told apart in them any more.
fn to_be_finished<'a>(state: &'a RunState, order: &Order) -> Option<&'a ErasureRecord> {
    let mut unfinished = state.records.iter().filter(|recorded| recorded.done.is_none());
    let of_everything = unfinished.clone().find(|recorded| recorded.record.tracks.is_none());
    let first = of_everything.or_else(|| unfinished.next().filter(|_| order.scope != Scope::Run));
    first.map(|recorded| &recorded.record)
}

async fn begin(store: &dyn Store, record: &ErasureRecord) -> Result<PutOutcome, EraseError> {
    Ok(store.put_if_absent(&record.begun_key(), json(record)?).await?)
}

/// Says that it is done, and after an erasure of everything the same of those that were begun before.
async fn finish(
    store: &dyn Store,
    (state, record): (&RunState, &ErasureRecord),
    clock: fn() -> u64,
) -> Result<(), EraseError> {
    let before = state.records.iter().filter(|before| {
        before.done.is_none() && record.tracks.is_none() && before.record.number != record.number
    });
    for record in before.map(|before| &before.record).chain([record]) {
        let begun = store.get(&record.begun_key()).await?;
        let done = ErasureDone::of(record, &begun, clock());
        store.put_if_absent(&record.done_key(), json(&done)?).await?;
    }
    Ok(())
}

/// Something that died late may have left what was erased: it goes again.
async fn take_again(store: &dyn Store, state: &RunState) -> Result<(), EraseError> {
    for Recorded { record, .. } in &state.records {
        if returned(store, record).await?.is_some() {
            remove(store, record).await?;
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<bytes::Bytes, EraseError> {
    to_pretty_json(value)
        .map_err(|e| EraseError::Unusable { path: "erasures".to_owned(), why: e.to_string() })
}
