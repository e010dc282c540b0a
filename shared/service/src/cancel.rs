//! Runs that nobody wants any more.
//!
//! Jobs can't be taken out of a queue by content. So a run is cancelled by an object in its folder: workers look for it
//! when they receive a job and when they have done one, and drop the job. Whoever asks for the run again removes the
//! object first.

use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

/// The content of `cancelled.json`, for people: workers only ask whether it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Version of the file.
    pub schema_version: u32,
    /// When it was written, seconds since 1970.
    pub cancelled_unix_sec: u64,
}

impl Cancellation {
    /// A cancellation at this time, seconds since 1970.
    #[must_use]
    pub fn at(cancelled_unix_sec: u64) -> Self {
        Self { schema_version: 1, cancelled_unix_sec }
    }
}

/// Whether somebody cancelled the run.
pub async fn is_cancelled(store: &dyn Store, run: &RunRef) -> Result<bool, StoreError> {
    Ok(store.head(&RunLayout::new(run).cancelled()).await?.is_some())
}

/// Removes what the run's jobs left for each other. A job that was at work when its run was cancelled leaves something
/// afterwards, and so does this again.
pub async fn clean_up(store: &dyn Store, run: &RunRef) -> Result<(), StoreError> {
    store.delete_prefix(&RunLayout::new(run).work_prefix()).await
}
