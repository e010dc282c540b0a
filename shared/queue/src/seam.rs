//! The seam: what stages see of a queue. The promises stand in the crate's documentation.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::error::QueueError;
use crate::health::QueueHealth;
use crate::message::Message;
use crate::name::QueueName;

/// Queues by name, behind one connection or in one process.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Hands a message over; returns once the queue is responsible for it. May wait while the queue is full.
    async fn publish(&self, name: &QueueName, message: Message) -> Result<(), QueueError>;

    /// Starts to consume `names`, the most urgent first, with at most `prefetch` (0 counts as 1) deliveries without
    /// a verdict at any time.
    async fn consume(&self, names: &[QueueName], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError>;

    /// How much waits in a queue at this moment. Looking makes no queue: one that nobody used yet is empty.
    async fn depth(&self, name: &QueueName) -> Result<Depth, QueueError>;

    /// Removes what waits in a queue, also for the end of a delay; returns how much that was. What consumers hold is
    /// theirs, and comes back unless it is acknowledged.
    async fn purge(&self, name: &QueueName) -> Result<u64, QueueError>;

    /// Up to `limit` dead letters, the oldest first; they stay where they are.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError>;

    /// Replays or discards the dead letter with this id; `false` where there is none (any more).
    async fn settle_dead_letter(&self, id: &str, verdict: DeadLetterVerdict) -> Result<bool, QueueError>;

    /// The same for many at once, which is much faster at a broker; returns those of `ids` that were found.
    async fn settle_dead_letters(
        &self,
        ids: &[String],
        verdict: DeadLetterVerdict,
    ) -> Result<Vec<String>, QueueError> {
        let mut found = Vec::new();
        for id in ids {
            if self.settle_dead_letter(id, verdict).await? {
                found.push(id.clone());
            }
        }
        Ok(found)
    }

    /// Whether messages can go their way, now and whenever that changes. The receiver's `changed` fails where it never
    /// will.
    fn health(&self) -> watch::Receiver<QueueHealth>;

    /// Ends publishing and consuming here. Deliveries that are out may still get their verdict.
    async fn close(&self) -> Result<(), QueueError>;
}

/// The receiving end of one or more queues.
#[async_trait]
pub trait Consumer: Send {
    /// Waits for the next delivery; `None` once the queue is closed. Safe to cancel.
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError>;

    /// Stops taking messages. Deliveries that are out may still get their verdict.
    async fn close(self: Box<Self>) -> Result<(), QueueError>;
}

/// What an implementation does about a verdict. Dropped unsettled, it lets the message come back.
#[async_trait]
pub trait Receipt: Send + Sync {
    /// Carries the verdict out; an error means that the message may come back.
    async fn settle(self: Box<Self>, verdict: Verdict) -> Result<(), QueueError>;
}

/// What becomes of a delivered message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Done: forget it.
    Acknowledge,
    /// Failed for now: try again after `delay`.
    Retry {
        /// Time until it may be delivered again.
        delay: Duration,
        /// Why it failed; travels along where the implementation has a place for it.
        reason: String,
    },
    /// Failed for good: keep it for people to look at.
    DeadLetter {
        /// Why, readable.
        reason: String,
    },
    /// Not worked on: somebody else may have it at once.
    Release,
}

/// A message on loan: to be settled by exactly one of its verdicts.
#[must_use = "a delivery that is dropped comes back"]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// The queue it came from.
    pub queue: QueueName,
    /// Whether it may have been delivered before without a verdict.
    pub redelivered: bool,
    receipt: Box<dyn Receipt>,
}

impl Delivery {
    /// A delivery of `message` from `queue`, first-hand; for implementations.
    pub fn new(message: Message, queue: QueueName, receipt: Box<dyn Receipt>) -> Self {
        Self { message, queue, redelivered: false, receipt }
    }

    /// The same, marked as one that may have been delivered before.
    pub fn marked_redelivered(mut self) -> Self {
        self.redelivered = true;
        self
    }

    /// Done: the message never comes back.
    pub async fn ack(self) -> Result<(), QueueError> {
        self.receipt.settle(Verdict::Acknowledge).await
    }

    /// Failed for now: the message comes back after `delay` with `attempt + 1`.
    pub async fn retry(self, delay: Duration, reason: &str) -> Result<(), QueueError> {
        self.receipt.settle(Verdict::Retry { delay, reason: reason.to_owned() }).await
    }

    /// Failed for good: the message goes to the dead letters.
    pub async fn dead_letter(self, reason: &str) -> Result<(), QueueError> {
        self.receipt.settle(Verdict::DeadLetter { reason: reason.to_owned() }).await
    }

    /// Not worked on: the message comes back at once, as it was.
    pub async fn release(self) -> Result<(), QueueError> {
        self.receipt.settle(Verdict::Release).await
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("queue", &self.queue)
            .field("message", &self.message)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Waiting for a consumer.
    pub ready: u64,
    /// Waiting for the end of a retry's delay.
    pub delayed: u64,
    /// Delivered without a verdict yet; `None` where the broker does not tell.
    pub unacknowledged: Option<u64>,
    /// Consumers that wait for messages or have some.
    pub consumers: u64,
}

/// A message that failed for good, with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names the letter among the dead letters.
    pub id: String,
    /// The queue it came from.
    pub queue: QueueName,
    /// Why it failed.
    pub reason: String,
    /// Body and headers as last delivered.
    pub message: Message,
}

/// What becomes of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterVerdict {
    /// Back to its queue as a first attempt.
    Replay,
    /// Gone for good.
    Discard,
}
