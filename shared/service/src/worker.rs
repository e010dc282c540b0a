//! The one worker loop: receive, decode, process, publish, acknowledge.
//!
//! Order of effects: the stage writes its objects, then the jobs that follow are published (the queue has confirmed
//! them), then the input is acknowledged. A crash between any two steps means that the job comes again and finds its
//! result in the store; nothing is lost, and doing a job twice changes nothing ([`Stage`]'s promises).
//!
//! What becomes of a job that is not done:
//!
//! | what happened | the job | the run |
//! |---|---|---|
//! | bytes that are no job | dead letters | untouched: its id can't be trusted |
//! | permanent failure, or transient too often | dead letters | `error.json` |
//! | transient failure | again after a pause that doubles | untouched |
//! | no end within the time limit | like a transient failure, and the worker ends | untouched |
//! | the process stops | back at once, attempt not counted | untouched |
//! | the run was cancelled | dropped | its work objects are removed |
//! | the run was committed meanwhile, by others who had the same jobs | done, even if it failed | the same |

mod intake;
mod place;
mod report;
mod retry;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::{Job, JobAddress};
use facereel_queue::{Delivery, Message, QueueError};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tracing::field::Empty;
use tracing::{Instrument, error, error_span, warn};

use crate::cancel;
use crate::compute::{ComputeError, panic_message};
use crate::stage::{Disposition, NextJob, Stage, StageError};
use intake::Intake;

pub use place::{Leftovers, WorkerError, Workplace};
pub use report::{HandOn, JobObserver, JobOutcome, JobReport, JobStart, TraceLink};
pub use retry::RetryPolicy;

/// How often a worker's loop shows that it lives.
pub const TURN: Duration = Duration::from_secs(5);

/// A stage at work on a queue.
pub struct Worker<S> {
    /// What it does.
    pub stage: S,
    /// What it shares with the other workers of the process.
    pub place: Workplace,
}

impl<S: Stage> Worker<S> {
    /// Works on up to `slots` jobs at once until intake ends or the queue is closed, then finishes what it holds.
    pub async fn run(self, slots: usize) -> Result<(), WorkerError> {
        let at_work = Arc::new(AtWork { stage: self.stage, place: self.place, hung: OnceLock::new() });
        at_work.run(slots).await
    }
}

struct AtWork<S> {
    stage: S,
    place: Workplace,
    /// The first job that exceeded the time limit.
    hung: OnceLock<WorkerError>,
}

/// Why no more jobs were taken.
enum Taken {
    /// The worker is to end.
    Ended,
    /// They come from other lanes now.
    OtherLanes,
}

/// What became of a try that did not fail.
enum Tried {
    Done,
    Cancelled,
}

impl<S: Stage> AtWork<S> {
    async fn run(self: Arc<Self>, slots: usize) -> Result<(), WorkerError> {
        let place = &self.place;
        let mut intake = Intake::new(Arc::clone(&place.queue), S::Job::STAGE, place.high_water);
        let mut turns = interval(TURN);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            match self.take(&mut intake, slots, &mut turns).await {
                Ok(Taken::OtherLanes) => {}
                Ok(Taken::Ended) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match Arc::into_inner(self).and_then(|worker| worker.hung.into_inner()) {
            Some(hung) => Err(hung),
            None => Ok(ended?),
        }
    }

    /// Takes jobs until no more are to be taken from these lanes, then finishes those at work.
    async fn take(
        self: &Arc<Self>,
        intake: &mut Intake,
        slots: usize,
        turns: &mut Interval,
    ) -> Result<Taken, QueueError> {
        let mut taking = intake.start(slots).await?;
        // No larger than `slots`: the queue delivers no more without verdicts.
        let mut jobs = JoinSet::new();
        let taken = loop {
            tokio::select! {
                // In this order: a worker that is to stop takes no further job.
                biased;
                () = self.place.intake_end.cancelled() => break Ok(Taken::Ended),
                Some(_) = jobs.join_next() => {}
                _ = turns.tick() => {
                    self.place.observer.loop_turned(S::Job::STAGE);
                    if intake.is_held_back() && intake.look().await { break Ok(Taken::OtherLanes) }
                }
                delivery = taking.next() => match delivery {
                    Ok(Some(delivery)) => {
                        if intake.look().await {
                            settle(delivery.release().await);
                            break Ok(Taken::OtherLanes);
                        }
                        let worker = Arc::clone(self);
                        jobs.spawn(async move { worker.handle(delivery).await });
                    }
                    Ok(None) => break Ok(Taken::Ended),
                    Err(error) => break Err(error),
                },
            }
        };
        // First of all: what is reserved here goes to others while the last jobs end.
        let closed = taking.close().await;
        while !jobs.is_empty() {
            tokio::select! {
                _ = jobs.join_next() => {}
                _ = turns.tick() => self.place.observer.loop_turned(S::Job::STAGE),
            }
        }
        let taken = taken?;
        closed.map(|()| taken)
    }

    async fn handle(&self, delivery: Delivery) {
        let started = Instant::now();
        let start = JobStart::of(&delivery);
        self.place.observer.job_began(&start);
        let attempt = delivery.message.headers.attempt;
        let (address, part, outcome) = match facereel_messages::decode::<S::Job>(delivery.message.body()) {
            Ok(job) => {
                let (address, part) = (job.address().clone(), job.part());
                (Some(address), part, self.work(job, delivery).await)
            }
            Err(error) => {
                let reason = StageError::permanent("the message is no job of this stage", error).chain();
                (None, String::new(), self.bury(delivery, reason).await)
            }
        };
        let duration = started.elapsed();
        let (stage, lane) = (start.stage, start.lane);
        self.place.observer.job_ended(&JobReport { stage, lane, address, part, attempt, outcome, duration });
    }

    /// Tries the job within a span of its own, then gives the verdict.
    async fn work(&self, job: S::Job, delivery: Delivery) -> JobOutcome {
        let (address, part, headers) = (job.address().clone(), job.part(), &delivery.message.headers);
        // At the highest level: whichever lines of a job are logged, they say which job.
        let span = error_span!(
            "job", stage = %S::Job::STAGE, ep_id = %address.run.ep_id, run_id = %address.run.run_id, %part,
            attempt = headers.attempt, trace_id = Empty
        );
        let trace_context = self.place.trace.link(&span, headers.trace_context.as_deref());
        let tried_and_settled = async move {
            let outcome = match self.attempt(job, trace_context).await {
                Ok(Tried::Done) => JobOutcome::Done,
                Ok(Tried::Cancelled) => JobOutcome::Cancelled,
                Err(error) => return self.give_up(error, delivery, (&address, &part)).await,
            };
            if let Err(error) = delivery.ack().await {
                // The work is done; the job comes again and finds that.
                warn!(%error, "the acknowledgement failed");
            }
            outcome
        };
        tried_and_settled.instrument(span).await
    }

    /// Processes and publishes, unless the run was cancelled before or meanwhile.
    async fn attempt(&self, job: S::Job, trace_context: Option<String>) -> Result<Tried, StageError> {
        let store = self.place.context.store.as_ref();
        let run = job.address().run.clone();
        if cancel::is_cancelled(store, &run).await? {
            return Ok(Tried::Cancelled);
        }
        let result = match self.process(job).await {
            Err(error) if error.disposition == Disposition::Interrupted => return Err(error),
            result => result,
        };
        // A failure may come from what was removed under the job.
        if cancel::is_cancelled(store, &run).await? {
            cancel::clean_up(store, &run).await?;
            return Ok(Tried::Cancelled);
        }
        let following = if self.came_late(&run).await? { result.unwrap_or_default() } else { result? };
        self.publish(following, trace_context).await?;
        Ok(Tried::Done)
    }

    /// Whether the run was committed while a job of it was at work here, which somebody else had done before. What this
    /// one left goes where the commit sent all the rest.
    async fn came_late(&self, run: &RunRef) -> Result<bool, StageError> {
        // Export commits, and cleans up, itself.
        if S::Job::STAGE == StageName::Export || !self.place.context.is_committed(run).await? {
            return Ok(false);
        }
        if self.place.leftovers == Leftovers::Delete {
            cancel::clean_up(self.place.context.store.as_ref(), run).await?;
        }
        Ok(true)
    }

    /// The stage's own work, as long as it may take.
    async fn process(&self, job: S::Job) -> Result<Vec<NextJob>, StageError> {
        let part = job.part();
        let work = contained(self.stage.process(job, &self.place.context));
        let Some(limit) = self.place.time_limit else { return work.await };
        if let Ok(result) = timeout(limit, work).await {
            return result;
        }
        error!(limit_sec = limit.as_secs(), "the job does not end; the process has to");
        // The first one is told of.
        let _ = self.hung.set(WorkerError::Hung { stage: S::Job::STAGE, part, limit });
        self.place.context.shutdown.cancel();
        Err(StageError::hung(limit))
    }

    async fn publish(
        &self,
        following: Vec<NextJob>,
        trace_context: Option<String>,
    ) -> Result<(), StageError> {
        let failed = |error: QueueError| StageError::transient("the next job could not be published", error);
        for next in following {
            let mut message = Message::new(next.body).map_err(failed)?;
            message.headers.trace_context.clone_from(&trace_context);
            tokio::select! {
                // In this order: work that is done is handed on as long as the queue takes it.
                biased;
                published = self.place.queue.publish(&next.queue, message) => published.map_err(failed)?,
                () = self.place.context.shutdown.cancelled() => return Err(StageError::interrupted()),
            }
        }
        Ok(())
    }

    /// Hands a failed job on to where it belongs.
    async fn give_up(
        &self,
        failure: StageError,
        delivery: Delivery,
        (address, part): (&JobAddress, &str),
    ) -> JobOutcome {
        let attempt = delivery.message.headers.attempt;
        let reason = failure.chain();
        let pause = match failure.disposition {
            Disposition::Interrupted => {
                settle(delivery.release().await);
                return JobOutcome::Released;
            }
            Disposition::Transient | Disposition::Hung => self.place.retry.pause_after(attempt),
            Disposition::Permanent => None,
        };
        if let Some(pause) = pause {
            warn!(reason, attempt, "the job failed and will be tried again");
            settle(delivery.retry(pause, &reason).await);
            return JobOutcome::Retried { reason };
        }
        self.mark_failed(address, part, &reason).await;
        self.bury(delivery, reason).await
    }

    async fn bury(&self, delivery: Delivery, reason: String) -> JobOutcome {
        error!(reason, "the job failed for good");
        settle(delivery.dead_letter(&reason).await);
        JobOutcome::DeadLettered { reason }
    }

    /// Leaves `error.json` for people and for `status`.
    async fn mark_failed(&self, address: &JobAddress, part: &str, reason: &str) {
        let note = json!({
            "schema_version": 1,
            "stage": S::Job::STAGE,
            "part": part,
            "reason": reason,
        });
        let key = RunLayout::new(&address.run).error();
        if let Err(error) = self.place.context.store.put(&key, Bytes::from(format!("{note:#}\n"))).await {
            warn!(%error, "the run could not be marked as failed");
        }
    }
}

/// What `work` gives; a panic in it is a failed try. Left alone it would drop the delivery, and the job would come back
/// at once, without end.
async fn contained<T>(work: impl Future<Output = Result<T, StageError>>) -> Result<T, StageError> {
    let mut work = pin!(work);
    poll_fn(|waker| {
        // After a panic the work is not polled again, only dropped.
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(waker))).unwrap_or_else(|panic| {
            let panicked = ComputeError::Panicked { message: panic_message(panic.as_ref()) };
            Poll::Ready(Err(panicked.into()))
        })
    })
    .await
}

/// A verdict that did not arrive: the job comes again, which is harmless.
fn settle(result: Result<(), QueueError>) {
    if let Err(error) = result {
        warn!(%error, "the verdict on a job did not reach the queue");
    }
}
