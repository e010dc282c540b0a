//! A worker on an in-process queue and a store in memory, with a stage that is a closure.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::ids::{RunRef, SegmentIndex};
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_domain::pipeline::{Lane, Stage as StageName};
use facereel_messages::jobs::{DetectJob, JobAddress, TrackJob};
use facereel_queue::{Consumer, DeadLetter, Depth, InProcessQueue, Message, Queue, QueueName};
use facereel_service::cpu::CpuLimit;
use facereel_service::progress::NoProgress;
use facereel_service::worker::{
    JobObserver, JobReport, Leftovers, RetryPolicy, Worker, WorkerError, Workplace,
};
use facereel_service::{ComputePool, NextJob, Stage, StageContext, StageError};
use facereel_store::{MemoryStore, Store};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where detect jobs come from.
pub(crate) const INPUT: QueueName = QueueName { stage: StageName::Detect, lane: Lane::Interactive };
/// Where the job that follows goes.
pub(crate) const OUTPUT: QueueName = QueueName { stage: StageName::Track, lane: Lane::Interactive };

/// A stage that does what a closure says.
pub(crate) struct Scripted<F>(pub(crate) F);

#[async_trait]
impl<F, Work> Stage for Scripted<F>
where
    F: Fn(DetectJob, StageContext) -> Work + Send + Sync + 'static,
    Work: Future<Output = Result<Vec<NextJob>, StageError>> + Send,
{
    type Job = DetectJob;

    async fn process(&self, job: DetectJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        (self.0)(job, context.clone()).await
    }
}

struct Reports(mpsc::UnboundedSender<JobReport>);

impl JobObserver for Reports {
    fn job_ended(&self, report: &JobReport) {
        // The test may have seen enough.
        let _ = self.0.send(report.clone());
    }
}

/// Everything around a worker.
pub(crate) struct Rig {
    /// The queue as it is; the worker may see it through a decorator.
    pub(crate) queue: InProcessQueue,
    /// What the worker publishes to and consumes.
    pub(crate) worker_queue: Arc<dyn Queue>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) intake_end: CancellationToken,
    pub(crate) high_water: u64,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) leftovers: Leftovers,
    reports: mpsc::UnboundedReceiver<JobReport>,
    observer: Arc<Reports>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let queue = InProcessQueue::default();
        let shutdown = CancellationToken::new();
        Self {
            worker_queue: Arc::new(queue.clone()),
            queue,
            store: Arc::new(MemoryStore::default()),
            intake_end: shutdown.child_token(),
            shutdown,
            high_water: u64::MAX,
            time_limit: None,
            leftovers: Leftovers::Delete,
            reports,
            observer: Arc::new(Reports(sender)),
        }
    }

    /// The worker sees the queue through what `decorate` makes of it.
    pub(crate) fn with_queue<Q: Queue + 'static>(
        mut self,
        decorate: impl FnOnce(Arc<dyn Queue>) -> Q,
    ) -> Self {
        self.worker_queue = Arc::new(decorate(Arc::new(self.queue.clone())));
        self
    }

    pub(crate) fn with_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// Starts a worker with `slots`. It ends with `shutdown` or by being aborted: the latter is a crash.
    pub(crate) fn start<S: Stage>(&self, stage: S, slots: usize) -> JoinHandle<Result<(), WorkerError>> {
        let context = StageContext {
            store: Arc::clone(&self.store),
            compute: ComputePool::new("test", 1).expect("a thread can be started"),
            cpu: Arc::new(CpuLimit::new(0)),
            progress: Arc::new(NoProgress),
            shutdown: self.shutdown.clone(),
        };
        let mut place = Workplace::new(Arc::clone(&self.worker_queue), context, self.observer.clone());
        place.retry = RetryPolicy { attempts: 4, ..RetryPolicy::default() };
        place.high_water = self.high_water;
        place.time_limit = self.time_limit;
        place.leftovers = self.leftovers;
        place.intake_end = self.intake_end.clone();
        tokio::spawn(Worker { stage, place }.run(slots))
    }

    /// Publishes the job of a segment, past all decorators.
    pub(crate) async fn submit(&self, segment: u32) {
        let body = facereel_messages::encode(&job(segment)).expect("a job can be written");
        self.submit_bytes(body).await;
    }

    pub(crate) async fn submit_bytes(&self, body: Vec<u8>) {
        let message = Message::new(body).expect("a small message");
        self.queue.publish(&INPUT, message).await.expect("the queue is open");
    }

    /// Waits for the end of a job.
    pub(crate) async fn report(&mut self) -> JobReport {
        self.reports.recv().await.expect("the observer lives as long as the rig")
    }

    pub(crate) async fn depth(&self, name: QueueName) -> Depth {
        self.queue.depth(&name).await.expect("the queue tells its depth")
    }

    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.queue.dead_letters(10).await.expect("the queue tells its dead letters")
    }

    pub(crate) async fn consumer(&self, name: QueueName) -> Box<dyn Consumer> {
        self.queue.consume(&[name], 10).await.expect("the queue can be consumed")
    }

    /// What `error.json` says, if it is there.
    pub(crate) async fn error_note(&self) -> Option<serde_json::Value> {
        let bytes = self.store.get(&layout().error()).await.ok()?;
        Some(serde_json::from_slice(&bytes).expect("error.json is JSON"))
    }
}

pub(crate) fn address() -> JobAddress {
    let run = RunRef {
        ep_id: "TEST-S01E01".parse().expect("an episode id"),
        run_id: "0123456789abcdef".parse().expect("a run id"),
    };
    JobAddress { run, lane: Lane::Interactive }
}

pub(crate) fn layout() -> RunLayout {
    RunLayout::new(&address().run)
}

pub(crate) fn job(segment: u32) -> DetectJob {
    DetectJob { address: address(), segment: SegmentIndex(segment), segments: 8 }
}

/// The job that follows a detect job.
pub(crate) fn next_job() -> NextJob {
    NextJob::new(&TrackJob { address: address(), segments: 8 }).expect("a job can be written")
}

pub(crate) fn part_key(job: &DetectJob) -> ObjectKey {
    layout().detections_part(job.segment)
}

/// What a well-behaved stage does: writes its part unless it is there, and names the job that follows. Returns whether
/// it had to write.
pub(crate) async fn write_part(job: &DetectJob, context: &StageContext) -> Result<bool, StageError> {
    let key = part_key(job);
    let is_new = context.store.head(&key).await?.is_none();
    if is_new {
        context.store.put(&key, Bytes::from_static(b"part")).await?;
    }
    Ok(is_new)
}
