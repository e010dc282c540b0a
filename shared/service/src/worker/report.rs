//! What the worker loop tells others about its jobs.

use std::time::{Duration, SystemTime};

use facereel_domain::pipeline::{Lane, Stage as StageName};
use facereel_messages::jobs::JobAddress;
use facereel_queue::Delivery;
use tracing::Span;

/// A job's begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobStart {
    /// The stage.
    pub stage: StageName,
    /// The lane it came from.
    pub lane: Lane,
    /// Time from its first publish to now; known for jobs that come for the first time.
    pub waited: Option<Duration>,
}

impl JobStart {
    /// The begin of what was delivered just now.
    pub(super) fn of(delivery: &Delivery) -> Self {
        let headers = &delivery.message.headers;
        let is_new = headers.attempt == 1 && !delivery.redelivered;
        let sent = headers.first_seen_unix_ms.filter(|_| is_new).map(Duration::from_millis);
        // Clocks of two machines may differ: what seems to come from the future has not waited.
        let waited = sent.and_then(|sent| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Some(now.saturating_sub(sent))
        });
        Self { stage: delivery.queue.stage, lane: delivery.queue.lane, waited }
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// Done, what follows is published, acknowledged.
    Done,
    /// Failed for now; it comes again.
    Retried {
        /// Why, with causes.
        reason: String,
    },
    /// Failed for good.
    DeadLettered {
        /// Why, with causes.
        reason: String,
    },
    /// Handed back because the process stops.
    Released,
    /// Dropped because somebody cancelled the run.
    Cancelled,
}

/// A job's end, for metrics, progress and whoever waits for a run.
#[derive(Debug, Clone)]
pub struct JobReport {
    /// The stage.
    pub stage: StageName,
    /// The lane it came from.
    pub lane: Lane,
    /// Run and lane; absent where the bytes were no job.
    pub address: Option<JobAddress>,
    /// Which part of the run.
    pub part: String,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: JobOutcome,
    /// Time from receiving to the end.
    pub duration: Duration,
}

/// Is told of every job's end, and of more if it wants to. Called from the runtime's threads: must not block.
pub trait JobObserver: Send + Sync {
    /// A job was received; a report of its end follows, unless the process ends before.
    fn job_began(&self, _start: &JobStart) {}

    /// Takes one report.
    fn job_ended(&self, report: &JobReport);

    /// The loop of `stage` goes round: said every [`super::TURN`], also while jobs run and while the last ones end.
    fn loop_turned(&self, _stage: StageName) {}
}

/// Ties the jobs of a run together across processes.
pub trait TraceLink: Send + Sync {
    /// Makes `span` part of the trace that `incoming` (a W3C `traceparent`) names, or the first of a new one, and
    /// returns what messages that follow carry. May fill in the span's empty field `trace_id`.
    fn link(&self, span: &Span, incoming: Option<&str>) -> Option<String>;
}

/// Hands the trace context on unread.
#[derive(Debug, Clone, Copy)]
pub struct HandOn;

impl TraceLink for HandOn {
    fn link(&self, _span: &Span, incoming: Option<&str>) -> Option<String> {
        incoming.map(str::to_owned)
    }
}
