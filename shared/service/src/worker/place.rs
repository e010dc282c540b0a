//! What the workers of one process share.

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::pipeline::Stage as StageName;
use facereel_queue::{Queue, QueueError};
use tokio_util::sync::CancellationToken;

use super::report::{HandOn, JobObserver, TraceLink};
use super::retry::RetryPolicy;
use crate::stage::StageContext;

/// What the workers of one process share. Clones share it, too.
#[derive(Clone)]
pub struct Workplace {
    /// Where jobs come from and go to.
    pub queue: Arc<dyn Queue>,
    /// What stages work with. Its shutdown token stops the jobs at work, and intake with them.
    pub context: StageContext,
    /// Fires when no further job is to be taken; those at work go on to their end.
    pub intake_end: CancellationToken,
    /// Detect jobs of a lane that wait, above which no further episode of the lane is planned.
    pub high_water: u64,
    /// How often a job is tried.
    pub retry: RetryPolicy,
    /// How long a job may take; `None` = as long as it wants. Native code can't be stopped: a job that exceeds this
    /// ends the worker ([`WorkerError::Hung`]), and the process should end, too.
    pub time_limit: Option<Duration>,
    /// What becomes of objects that a job leaves after its run is committed.
    pub leftovers: Leftovers,
    /// Who is told of each job.
    pub observer: Arc<dyn JobObserver>,
    /// Who ties jobs into traces.
    pub trace: Arc<dyn TraceLink>,
}

impl Workplace {
    /// A place with the usual retries, without a high-water mark, a time limit or traces, that leaves leftovers alone.
    pub fn new(queue: Arc<dyn Queue>, context: StageContext, observer: Arc<dyn JobObserver>) -> Self {
        Self {
            queue,
            intake_end: context.shutdown.child_token(),
            context,
            high_water: u64::MAX,
            retry: RetryPolicy::default(),
            time_limit: None,
            leftovers: Leftovers::Keep,
            observer,
            trace: Arc::new(HandOn),
        }
    }
}

/// What becomes of objects between stages that come after their run is committed: a job may be done twice at once, and
/// the slower of the two writes behind the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay, for whoever looks into the run or cleans up himself.
    Keep,
    /// They go.
    Delete,
}

/// Why a worker ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Jobs can't be had any more.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A job did not end. It went back to its queue; a thread of this process may be lost to it.
    #[error("a {stage} job ({part}) did not end within {limit:?}")]
    Hung {
        /// Its stage.
        stage: StageName,
        /// Which part of its run.
        part: String,
        /// How long it could have taken.
        limit: Duration,
    },
}
