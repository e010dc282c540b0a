//! The one worker loop: receive, decode, process, publish, acknowledge.
//!
//! Order of effects: the stage writes its objects, then the jobs that follow are published (the queue has confirmed
//! them), then the input is acknowledged. A crash between any two steps means that the job comes again and finds its
//! result in the store; nothing is lost, and doing a job twice changes nothing ([`Stage`]'s promises).
//!
//! What becomes of a failed job:
//!
//! | failure | the job | the run |
//! |---|---|---|
//! | bytes that are no job | dead letters | untouched: its id can't be trusted |
//! | permanent, or transient too often | dead letters | `error.json` |
//! | transient | again after a pause that doubles | untouched |
//! | the process stops | back at once, attempt not counted | untouched |

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::{Job, JobAddress};
use facereel_queue::{Delivery, Message, Queue, QueueError, QueueName};
use serde_json::json;
use tokio::task::JoinSet;
use tracing::{Instrument, error, info_span, warn};

use crate::compute::{ComputeError, panic_message};
use crate::stage::{Disposition, NextJob, Stage, StageContext, StageError};

/// How often and how soon a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, at least 1.
    pub attempts: u32,
    /// Pause after the first try; doubles with each.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, first_pause: Duration::from_secs(1), longest_pause: Duration::from_mins(5) }
    }
}

impl RetryPolicy {
    /// The pause after try number `attempt` (from 1), or `None` when it was the last.
    #[must_use]
    pub fn pause_after(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(20);
        Some(self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause))
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
}

/// A job's end, for metrics, progress and whoever waits for a run.
#[derive(Debug, Clone)]
pub struct JobReport {
    /// The stage.
    pub stage: StageName,
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

/// Is told of every job's end. Called from the runtime's threads: must not block.
pub trait JobObserver: Send + Sync {
    /// Takes one report.
    fn job_ended(&self, report: &JobReport);
}

/// A stage at work on a queue.
pub struct Worker<S> {
    /// What it does.
    pub stage: S,
    /// Where its jobs come from and go to.
    pub queue: Arc<dyn Queue>,
    /// What the stage works with.
    pub context: StageContext,
    /// How often a job is tried.
    pub retry: RetryPolicy,
    /// Who is told of each job's end.
    pub observer: Arc<dyn JobObserver>,
}

impl<S: Stage> Worker<S> {
    /// Works on up to `slots` jobs at once until the shutdown token fires or the queue is closed, then finishes what
    /// it holds. An error means that the queue can't be consumed.
    pub async fn run(self, slots: usize) -> Result<(), QueueError> {
        let mut consumer = self.queue.consume(&QueueName::lanes_of(S::Job::STAGE), slots).await?;
        let worker = Arc::new(self);
        // No larger than `slots`: the queue delivers no more without verdicts.
        let mut jobs = JoinSet::new();
        let result = loop {
            tokio::select! {
                // In this order: a worker that is to stop takes no further job.
                biased;
                () = worker.context.shutdown.cancelled() => break Ok(()),
                Some(_) = jobs.join_next() => {}
                delivery = consumer.next() => match delivery {
                    Ok(Some(delivery)) => {
                        let worker = Arc::clone(&worker);
                        jobs.spawn(async move { worker.handle(delivery).await });
                    }
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                },
            }
        };
        while jobs.join_next().await.is_some() {}
        result.and(consumer.close().await)
    }

    async fn handle(&self, delivery: Delivery) {
        let started = Instant::now();
        let attempt = delivery.message.headers.attempt;
        let (address, part, outcome) = match facereel_messages::decode::<S::Job>(delivery.message.body()) {
            Ok(job) => {
                let (address, part) = (job.address().clone(), job.part());
                let span = info_span!(
                    "job", stage = %S::Job::STAGE, ep_id = %address.run.ep_id, run_id = %address.run.run_id, %part,
                    attempt
                );
                (Some(address), part, self.work(job, delivery).instrument(span).await)
            }
            Err(error) => {
                let reason = StageError::permanent("the message is no job of this stage", error).chain();
                (None, String::new(), self.bury(delivery, reason).await)
            }
        };
        let duration = started.elapsed();
        let stage = S::Job::STAGE;
        self.observer.job_ended(&JobReport { stage, address, part, attempt, outcome, duration });
    }

    /// Processes, publishes, acknowledges.
    async fn work(&self, job: S::Job, delivery: Delivery) -> JobOutcome {
        let address = job.address().clone();
        let part = job.part();
        let trace_context = delivery.message.headers.trace_context.clone();
        let result = match contained(self.stage.process(job, &self.context)).await {
            Ok(following) => self.publish(following, trace_context).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                if let Err(error) = delivery.ack().await {
                    // The work is done; the job comes again and finds that.
                    warn!(%error, "the acknowledgement failed");
                }
                JobOutcome::Done
            }
            Err(error) => self.give_up(error, delivery, (&address, &part)).await,
        }
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
                published = self.queue.publish(&next.queue, message) => published.map_err(failed)?,
                () = self.context.shutdown.cancelled() => return Err(StageError::interrupted()),
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
            Disposition::Transient => self.retry.pause_after(attempt),
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
        if let Err(error) = self.context.store.put(&key, Bytes::from(format!("{note:#}\n"))).await {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let policy = RetryPolicy {
            attempts: 4,
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(5),
        };
        let pauses: Vec<_> = (1..=4).map(|n| policy.pause_after(n).map(|p| p.as_secs())).collect();
        assert_eq!(pauses, [Some(2), Some(4), Some(5), None]);
    }
}
