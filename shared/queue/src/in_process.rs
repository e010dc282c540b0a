//! A queue in memory, for a whole pipeline in one process and for tests.
//!
//! It keeps every promise of the crate but survival: messages end with the process, and a run that starts again
//! plans again from what the store holds.
//!
//! **Bounds, and why they can't stop the pipeline.** Each queue holds at most `capacity` messages: waiting, delayed
//! and delivered ones together, so that retries and redeliveries never need new room and never wait. Only `publish`
//! waits. A wait without end would be a trap here, because publisher and consumer can be the same worker: with one
//! slot for all stages, a job that publishes one message more than the queue holds waits for itself. An error
//! instead would be no better: the job would run again, publish its first messages again, and never get further. So
//! the wait is limited to `patience`; then the message is taken beyond the bound, with a warning. A full queue
//! slows its publishers down to one message in `patience` each, and every publish ends. What keeps the queues short
//! in the first place is the planner, which holds back at its high-water mark.
//!
//! Delays follow tokio's clock: tests that pause it wait for nothing. There are no background tasks.

mod shelf;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use self::shelf::{Entry, Shelves};
use crate::error::{QueueError, QueueErrorKind};
use crate::health::QueueHealth;
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, DeadLetter, DeadLetterVerdict, Delivery, Depth, Queue, Receipt, Verdict};

/// How much an in-process queue holds, and how long it makes publishers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Messages that one named queue holds before `publish` waits.
    pub capacity: NonZeroUsize,
    /// How long `publish` waits for room before it goes beyond the bound.
    pub patience: Duration,
}

impl Default for Bounds {
    /// Room for the segments of an episode of seventeen hours; a fifth of a second of patience.
    fn default() -> Self {
        Self { capacity: NonZeroUsize::MIN.saturating_add(1023), patience: Duration::from_millis(200) }
    }
}

/// Queues in memory. Clones share the messages.
#[derive(Clone, Default)]
pub struct InProcessQueue(Arc<Broker>);

impl InProcessQueue {
    /// Queues with these bounds.
    #[must_use]
    pub fn with_bounds(bounds: Bounds) -> Self {
        Self(Arc::new(Broker { bounds, ..Broker::default() }))
    }
}

#[async_trait]
impl Queue for InProcessQueue {
    async fn publish(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        self.0.publish(*name, message).await
    }

    async fn consume(&self, names: &[QueueName], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        let unsettled = Arc::new(AtomicUsize::new(0));
        let broker = Arc::clone(&self.0);
        broker.shelves().join(names);
        Ok(Box::new(InProcessConsumer {
            broker,
            names: names.to_vec(),
            prefetch: prefetch.max(1),
            unsettled,
        }))
    }

    async fn depth(&self, name: &QueueName) -> Result<Depth, QueueError> {
        Ok(self.0.shelves().depth(*name, Instant::now()))
    }

    async fn purge(&self, name: &QueueName) -> Result<u64, QueueError> {
        let removed = self.0.shelves().purge(*name);
        self.0.changed.notify_waiters();
        Ok(removed)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.0.shelves().dead.iter().take(limit).cloned().collect())
    }

    async fn settle_dead_letter(&self, id: &str, verdict: DeadLetterVerdict) -> Result<bool, QueueError> {
        let found = self.0.shelves().settle_dead_letter(id, verdict);
        self.0.changed.notify_waiters();
        Ok(found)
    }

    fn health(&self) -> watch::Receiver<QueueHealth> {
        QueueHealth::always_connected()
    }

    async fn close(&self) -> Result<(), QueueError> {
        self.0.shelves().closed = true;
        self.0.changed.notify_waiters();
        Ok(())
    }
}

/// The messages, and the bell that rings whenever something about them changes.
#[derive(Default)]
struct Broker {
    bounds: Bounds,
    shelves: Mutex<Shelves>,
    changed: Notify,
}

impl Broker {
    /// The messages. A panic elsewhere can't leave them half changed: no change to them calls foreign code.
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn publish(&self, name: QueueName, mut message: Message) -> Result<(), QueueError> {
        message.headers.first_seen_unix_ms.get_or_insert_with(unix_ms);
        let patient_until = Instant::now() + self.bounds.patience;
        loop {
            // Listening starts before the look, so that a change in between is not missed.
            let changed = self.changed.notified();
            if self.try_publish(name, &message, patient_until)? {
                self.changed.notify_waiters();
                return Ok(());
            }
            // Woken or out of patience: both mean to look again.
            let _ = timeout_at(patient_until, changed).await;
        }
    }

    /// Whether the message was taken: because there is room, or because the publisher waited long enough.
    fn try_publish(
        &self,
        name: QueueName,
        message: &Message,
        patient_until: Instant,
    ) -> Result<bool, QueueError> {
        let mut shelves = self.shelves();
        if shelves.closed {
            return Err(QueueError::new(QueueErrorKind::Closed, format!("publish to {name}")));
        }
        let has_room = shelves.held(name) < self.bounds.capacity.get();
        if !has_room && Instant::now() < patient_until {
            return Ok(false);
        }
        if !has_room {
            tracing::warn!(queue = %name, capacity = self.bounds.capacity, "queue is full; going beyond its bound");
        }
        shelves.append(name, message.clone());
        Ok(true)
    }
}

/// Milliseconds since 1970; 0 on a clock before that.
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

struct InProcessConsumer {
    broker: Arc<Broker>,
    names: Vec<QueueName>,
    prefetch: usize,
    unsettled: Arc<AtomicUsize>,
}

/// What a look at the queues found.
enum Look {
    Found(Delivery),
    /// Nothing now; a retry comes due at the instant, if there is one.
    Nothing(Option<Instant>),
    Closed,
}

impl InProcessConsumer {
    fn look(&self) -> Look {
        let mut shelves = self.broker.shelves();
        if shelves.closed {
            return Look::Closed;
        }
        if self.unsettled.load(Ordering::SeqCst) >= self.prefetch {
            return Look::Nothing(None);
        }
        let now = Instant::now();
        let Some((queue, entry)) =
            self.names.iter().find_map(|&name| shelves.take(name, now).map(|entry| (name, entry)))
        else {
            return Look::Nothing(self.names.iter().filter_map(|&name| shelves.next_due(name)).min());
        };
        self.unsettled.fetch_add(1, Ordering::SeqCst);
        Look::Found(self.deliver(queue, entry))
    }

    fn deliver(&self, queue: QueueName, entry: Entry) -> Delivery {
        let receipt = Box::new(InProcessReceipt {
            broker: Arc::clone(&self.broker),
            unsettled: Arc::clone(&self.unsettled),
            queue,
            message: Some(entry.message.clone()),
        });
        let delivery = Delivery::new(entry.message, queue, receipt);
        if entry.redelivered { delivery.marked_redelivered() } else { delivery }
    }
}

#[async_trait]
impl Consumer for InProcessConsumer {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        loop {
            let broker = Arc::clone(&self.broker);
            let changed = broker.changed.notified();
            match self.look() {
                Look::Found(delivery) => return Ok(Some(delivery)),
                Look::Closed => return Ok(None),
                Look::Nothing(None) => changed.await,
                Look::Nothing(Some(due)) => {
                    let _ = timeout_at(due, changed).await;
                }
            }
        }
    }

    async fn close(self: Box<Self>) -> Result<(), QueueError> {
        Ok(())
    }
}

impl Drop for InProcessConsumer {
    fn drop(&mut self) {
        self.broker.shelves().leave(&self.names);
    }
}

/// Holds a delivered message until its verdict.
struct InProcessReceipt {
    broker: Arc<Broker>,
    unsettled: Arc<AtomicUsize>,
    queue: QueueName,
    /// Taken by the verdict.
    message: Option<Message>,
}

impl InProcessReceipt {
    fn settle_now(&mut self, settle: impl FnOnce(&mut Shelves, QueueName, Message)) {
        if let Some(message) = self.message.take() {
            settle(&mut self.broker.shelves(), self.queue, message);
            self.unsettled.fetch_sub(1, Ordering::SeqCst);
            self.broker.changed.notify_waiters();
        }
    }
}

#[async_trait]
impl Receipt for InProcessReceipt {
    async fn settle(mut self: Box<Self>, verdict: Verdict) -> Result<(), QueueError> {
        let now = Instant::now();
        self.settle_now(|shelves, queue, message| match verdict {
            Verdict::Acknowledge => shelves.forget(queue),
            Verdict::Retry { delay, .. } => shelves.delay(queue, message, now + delay),
            Verdict::DeadLetter { reason } => shelves.bury(queue, message, reason),
            Verdict::Release => shelves.put_back(queue, message),
        });
        Ok(())
    }
}

impl Drop for InProcessReceipt {
    fn drop(&mut self) {
        self.settle_now(Shelves::put_back);
    }
}
