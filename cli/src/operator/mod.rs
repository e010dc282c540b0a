//! What the operator's commands share: the store and the queues they look into, where runs stand, and how runs are
//! handed over.
//!
//! There is no database. Where a run stands follows from the objects in its folder ([`Standing`],
//! [`Headway`](headway::Headway)); how much waits is asked of the broker. Whatever is written here is written so that
//! being interrupted after any step is harmless: the same command continues.

mod campaign;
mod catalogue;
mod clock;
mod desk;
mod download;
mod entries;
mod erased;
mod forecast;
mod headway;
mod intake;
mod letters;
mod report;
mod runs;
mod side_by_side;
mod standing;
mod submission;
mod table;

pub(crate) use campaign::{Campaign, Event, Pace, Tally, Until, ready_to_publish};
pub(crate) use catalogue::{Candidate, Refused, Selection};
pub(crate) use clock::{unix_sec, utc};
pub(crate) use desk::{Desk, in_runtime, open_store, refuse_private_queue};
pub(crate) use download::download;
pub(crate) use entries::{Entry, EntryError, find_entries, refuse_duplicates};
pub(crate) use erased::what_was_erased;
pub(crate) use forecast::{Forecast, LastPace, forecast};
pub(crate) use intake::Intake;
pub(crate) use letters::{Content, Letter, find_letter, letters};
pub(crate) use report::{Overview, QueueView, RunView, Shown, Watcher};
pub(crate) use runs::{current_run, episodes, runs_of};
pub(crate) use side_by_side::side_by_side;
pub(crate) use standing::{Standing, standing};
pub(crate) use submission::{cancel, submit};
pub(crate) use table::Table;

#[cfg(test)]
pub(crate) use {headway::Headway, standing::Failure};
