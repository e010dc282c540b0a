//! Queues at a RabbitMQ broker (3.10 or later).
//!
//! The only module that knows AMQP and the library behind it. How the parts fit:
//!
//! - [`topology`] says which queues exist and with which arguments, as data.
//! - `link` keeps one connection up; there are two, for publishing and for consuming.
//! - `publisher` returns when a message is safe; `session` is one life of a consumer, `consumer` strings them together,
//!   `receipt` carries verdicts out.
//! - `dead_letters` reads what was given up.
//!
//! The broker's own counters differ between versions, so attempts are counted in our headers. Its limit of
//! deliveries is the last resort against messages that kill their workers before they can say anything.
//!
//! With two lanes, up to `prefetch` messages of the later one lie here reserved while the earlier one keeps the slots
//! busy. They are handed back when the consumer closes or its process ends.

mod address;
mod backoff;
mod consumer;
mod dead_letters;
mod declare;
mod headers;
mod link;
mod publisher;
mod receipt;
mod refusal;
mod session;
pub mod topology;

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::address::Address;
use self::consumer::RabbitConsumer;
use self::dead_letters::Desk;
use self::headers::{Outgoing, unix_ms};
use self::link::{Link, Role};
use self::publisher::Publisher;
use self::topology::DelayClass;
use crate::error::{QueueError, QueueErrorKind};
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, DeadLetter, DeadLetterVerdict, Depth, Queue};

/// Queues at a broker. Connections end with this and its last delivery.
pub struct RabbitQueue(Arc<Shared>);

/// What consumers and receipts need, too.
struct Shared {
    publisher: Publisher,
    consume: Link,
    closed: CancellationToken,
}

impl RabbitQueue {
    /// Connects to the broker that `url` names. Fails at once where it can't be reached; once connected, losses are
    /// made good without end.
    pub async fn open(url: &str) -> Result<Self, QueueError> {
        let address = Address::parse(url)?;
        let publisher = Publisher::open(&address).await?;
        let consume = Link::open(&address, Role::Consume).await?;
        Ok(Self(Arc::new(Shared { publisher, consume, closed: CancellationToken::new() })))
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, name: &QueueName, mut message: Message) -> Result<(), QueueError> {
        if self.0.closed.is_cancelled() {
            return Err(QueueError::new(QueueErrorKind::Closed, format!("publish to {name}")));
        }
        message.headers.first_seen_unix_ms.get_or_insert_with(unix_ms);
        let properties = Outgoing::of(&message.headers).kept();
        self.0.publisher.publish(&topology::jobs(*name), message.body(), properties).await
    }

    async fn consume(&self, names: &[QueueName], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        Ok(Box::new(RabbitConsumer::open(Arc::clone(&self.0), names, prefetch).await?))
    }

    /// Over the consuming connection: a broker in an alarm still answers there.
    async fn depth(&self, name: &QueueName) -> Result<Depth, QueueError> {
        let channel = self.0.consume.channel().await?;
        let ready = declare::declare(&channel, &topology::jobs(*name)).await?;
        let mut delayed = 0;
        for class in DelayClass::ALL {
            delayed += declare::declare(&channel, &topology::delay(*name, class)).await?;
        }
        Ok(Depth { ready, delayed, unacknowledged: None })
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Desk::lay_out(self.0.consume.channel().await?).await?.show(limit).await
    }

    async fn settle_dead_letter(&self, id: &str, verdict: DeadLetterVerdict) -> Result<bool, QueueError> {
        let desk = Desk::lay_out(self.0.consume.channel().await?).await?;
        let Some(lent) = desk.find(id) else {
            desk.hand_back().await?;
            return Ok(false);
        };
        if verdict == DeadLetterVerdict::Replay {
            let mut headers = lent.letter.message.headers.clone();
            headers.attempt = 1;
            let properties = Outgoing::of(&headers).kept();
            self.0.publisher.publish(&topology::jobs(lent.letter.queue), &lent.body, properties).await?;
        }
        desk.remove(lent).await?;
        Ok(true)
    }

    async fn close(&self) -> Result<(), QueueError> {
        self.0.closed.cancel();
        Ok(())
    }
}
