//! A decorator that makes any queue misbehave in the ways that real ones do, at chosen moments.
//!
//! Without faults it changes nothing: it passes the conformance suite. Publishes and deliveries are counted from 1
//! over the whole decorator, so that a test says exactly what goes wrong.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use crate::decorator::QueueDecorator;
use crate::error::{QueueError, QueueErrorKind};
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, Delivery, Queue};

/// How long a delivery that is to be overtaken waits for another one.
const OVERTAKING_TIME: Duration = Duration::from_millis(50);

/// What goes wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueFault {
    /// `publish` fails; nothing was published.
    Refuse,
    /// `publish` fails although the message is in the queue.
    LoseConfirmation,
    /// The message is published twice.
    Duplicate,
    /// The message is delivered after the one that follows it, if one follows soon.
    Reorder,
}

/// Which messages a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// The one with this number, from 1.
    Nth(usize),
    /// Every one whose number divides by this.
    Every(NonZeroUsize),
}

impl Occurrence {
    fn strikes(self, number: usize) -> bool {
        match self {
            Self::Nth(n) => number == n,
            Self::Every(n) => number.is_multiple_of(n.get()),
        }
    }
}

/// A queue with faults.
pub struct FaultyQueue {
    inner: Arc<dyn Queue>,
    faults: Arc<[(QueueFault, Occurrence)]>,
    published: AtomicUsize,
    delivered: Arc<AtomicUsize>,
}

impl FaultyQueue {
    /// `inner` with `faults`; where several strike the same publish, the first one listed counts.
    pub fn new(inner: Arc<dyn Queue>, faults: impl Into<Arc<[(QueueFault, Occurrence)]>>) -> Self {
        Self {
            inner,
            faults: faults.into(),
            published: AtomicUsize::new(0),
            delivered: Arc::new(AtomicUsize::new(0)),
        }
    }
}

#[async_trait]
impl QueueDecorator for FaultyQueue {
    fn inner(&self) -> &dyn Queue {
        self.inner.as_ref()
    }

    async fn publish_through(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        let number = self.published.fetch_add(1, Ordering::SeqCst) + 1;
        let strikes =
            |fault: &&(QueueFault, Occurrence)| fault.0 != QueueFault::Reorder && fault.1.strikes(number);
        match self.faults.iter().find(strikes).map(|fault| fault.0) {
            Some(QueueFault::Refuse) => Err(failure(QueueErrorKind::Unavailable, *name, number)),
            Some(QueueFault::LoseConfirmation) => {
                self.inner.publish(name, message).await?;
                Err(failure(QueueErrorKind::Unconfirmed, *name, number))
            }
            Some(QueueFault::Duplicate) => {
                self.inner.publish(name, message.clone()).await?;
                self.inner.publish(name, message).await
            }
            Some(QueueFault::Reorder) | None => self.inner.publish(name, message).await,
        }
    }

    async fn consume_through(
        &self,
        names: &[QueueName],
        prefetch: usize,
    ) -> Result<Box<dyn Consumer>, QueueError> {
        let reordered: Vec<_> =
            self.faults.iter().filter(|f| f.0 == QueueFault::Reorder).map(|f| f.1).collect();
        if reordered.is_empty() {
            return self.inner.consume(names, prefetch).await;
        }
        // The delivery that is held back takes up a place of its own.
        let inner = self.inner.consume(names, prefetch.max(1) + 1).await?;
        Ok(Box::new(ReorderingConsumer {
            inner,
            reordered,
            delivered: Arc::clone(&self.delivered),
            held: None,
            overtaken: None,
        }))
    }
}

fn failure(kind: QueueErrorKind, name: QueueName, number: usize) -> QueueError {
    QueueError::new(kind, format!("publish to {name}"))
        .with_source(format!("fault injected at publish {number}"))
}

struct ReorderingConsumer {
    inner: Box<dyn Consumer>,
    reordered: Vec<Occurrence>,
    delivered: Arc<AtomicUsize>,
    /// Kept here while another one may overtake it, so that a cancelled `next` loses nothing.
    held: Option<Delivery>,
    /// Was overtaken: goes out next.
    overtaken: Option<Delivery>,
}

#[async_trait]
impl Consumer for ReorderingConsumer {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        if let Some(overtaken) = self.overtaken.take() {
            return Ok(Some(overtaken));
        }
        if self.held.is_none() {
            let Some(delivery) = self.inner.next().await? else { return Ok(None) };
            let number = self.delivered.fetch_add(1, Ordering::SeqCst) + 1;
            if !self.reordered.iter().any(|occurrence| occurrence.strikes(number)) {
                return Ok(Some(delivery));
            }
            self.held = Some(delivery);
        }
        let follower = timeout(OVERTAKING_TIME, self.inner.next()).await;
        let held = self.held.take();
        match follower {
            Ok(Ok(Some(overtaker))) => {
                self.delivered.fetch_add(1, Ordering::SeqCst);
                self.overtaken = held;
                Ok(Some(overtaker))
            }
            _ => Ok(held),
        }
    }

    async fn close(self: Box<Self>) -> Result<(), QueueError> {
        self.inner.close().await
    }
}
