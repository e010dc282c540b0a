//! A whole run in this process: the stages of the services over an in-process queue.
//!
//! ```text
//! Prepared (settings, identity of the video, models -> run id)
//!   -> workers of all five stages over one queue, one store, one set of compute threads
//!   -> plan job in -> until the export job is done, a job failed for good, or somebody stops it
//!   -> run_stats.json, summary
//! ```
//!
//! Bytes cross the queue here too: a cluster runs the same code. What makes a run continue after a crash is not here:
//! stages find what is done in the store.

mod crew;
mod limits;
mod once;
mod prepare;
mod run;
mod stats;
mod summary;
mod witness;

pub(crate) use limits::FILE_THREADS;
pub(crate) use prepare::{Prepared, load_models};
pub(crate) use run::{Outcome, RunFailed, execute};
pub(crate) use stats::StatsReport;
pub(crate) use summary::RunSummary;
