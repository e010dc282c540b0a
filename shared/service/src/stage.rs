//! The seam between the worker loop and the stages.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use facereel_domain::cause::chain;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_messages::CodecError;
use facereel_messages::jobs::Job;
use facereel_queue::QueueName;
use facereel_store::{Store, StoreError, StoreErrorKind};
use tokio_util::sync::CancellationToken;

use crate::compute::{ComputeError, ComputePool};
use crate::cpu::CpuLimit;
use crate::progress::ProgressSink;

/// A step of the pipeline.
///
/// Promises of an implementation:
///
/// 1. All effects are objects whose keys derive from the job and whose bytes derive from the job's inputs: doing a job
///    twice, also twice at once, changes nothing.
/// 2. Objects are written before it returns the jobs that need them.
/// 3. A job whose result is already there is not computed again; only the jobs that follow are returned again.
/// 4. It returns soon after `context.shutdown` fires, with [`StageError::interrupted`].
#[async_trait]
pub trait Stage: Send + Sync + 'static {
    /// The jobs it does.
    type Job: Job;

    /// Does `job` and returns what is to be done next.
    async fn process(&self, job: Self::Job, context: &StageContext) -> Result<Vec<NextJob>, StageError>;
}

/// What stages work with.
#[derive(Clone)]
pub struct StageContext {
    /// Where objects live.
    pub store: Arc<dyn Store>,
    /// Threads for blocking work.
    pub compute: ComputePool,
    /// The limit that compute threads keep to.
    pub cpu: Arc<CpuLimit>,
    /// Where to report what is done.
    pub progress: Arc<dyn ProgressSink>,
    /// Fires when the process is to stop.
    pub shutdown: CancellationToken,
}

impl StageContext {
    /// Keys of a run.
    #[must_use]
    pub fn layout(&self, run: &RunRef) -> RunLayout {
        RunLayout::new(run)
    }

    /// Whether the run is complete: late jobs of it have nothing left to do, and nothing left to read.
    pub async fn is_committed(&self, run: &RunRef) -> Result<bool, StageError> {
        Ok(self.store.head(&self.layout(run).manifest()).await?.is_some())
    }

    /// An error if the process is to stop.
    pub fn check_shutdown(&self) -> Result<(), StageError> {
        if self.shutdown.is_cancelled() { Err(StageError::interrupted()) } else { Ok(()) }
    }
}

/// A job that follows: its queue and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextJob {
    /// Where it goes.
    pub queue: QueueName,
    /// The encoded job.
    pub body: Vec<u8>,
}

impl NextJob {
    /// `job`, ready to be published on its own lane.
    pub fn new<J: Job>(job: &J) -> Result<Self, CodecError> {
        let queue = QueueName { stage: J::STAGE, lane: job.address().lane };
        Ok(Self { queue, body: facereel_messages::encode(job)? })
    }
}

/// What is to become of a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It fails again however often it is tried: dead letters, and the run is marked failed.
    Permanent,
    /// It may succeed later: back into the queue after a while, a limited number of times.
    Transient,
    /// It did not end in time: the same, and the process has to end, since it can't be stopped.
    Hung,
    /// The process is stopping: back into the queue at once.
    Interrupted,
}

/// A job's failure: what is to become of it, what was being done, and why it failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct StageError {
    /// What is to become of the job.
    pub disposition: Disposition,
    doing: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StageError {
    /// A failure for good.
    pub fn permanent(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Permanent, doing: doing.into(), source: Some(source.into()) }
    }

    /// A failure for now.
    pub fn transient(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { disposition: Disposition::Transient, doing: doing.into(), source: Some(source.into()) }
    }

    /// A failure for good that has no deeper cause.
    pub fn refused(why: impl Into<String>) -> Self {
        Self { disposition: Disposition::Permanent, doing: why.into(), source: None }
    }

    /// The process is stopping.
    #[must_use]
    pub fn interrupted() -> Self {
        Self { disposition: Disposition::Interrupted, doing: "interrupted".to_owned(), source: None }
    }

    /// The work did not end within `limit`.
    pub(crate) fn hung(limit: Duration) -> Self {
        let doing = format!("the job did not end within {} s", limit.as_secs_f64());
        Self { disposition: Disposition::Hung, doing, source: None }
    }

    /// Whether it failed because an object is not there.
    #[must_use]
    pub fn lacks_object(&self) -> bool {
        let cause = self.source.as_ref().and_then(|source| source.downcast_ref::<StoreError>());
        cause.is_some_and(|error| error.kind() == StoreErrorKind::NotFound)
    }

    /// The message with all its causes, `: ` between them.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

impl From<StoreError> for StageError {
    fn from(error: StoreError) -> Self {
        let disposition = if error.is_permanent() { Disposition::Permanent } else { Disposition::Transient };
        Self { disposition, doing: "the store failed".to_owned(), source: Some(Box::new(error)) }
    }
}

impl From<CodecError> for StageError {
    fn from(error: CodecError) -> Self {
        Self::permanent("an object or job is not readable", error)
    }
}

impl From<ComputeError> for StageError {
    fn from(error: ComputeError) -> Self {
        match error {
            ComputeError::Closed => Self::interrupted(),
            ComputeError::Panicked { .. } => Self::transient("a worker thread failed", error),
        }
    }
}
