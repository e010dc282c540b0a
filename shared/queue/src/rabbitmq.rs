//! Queues at a RabbitMQ broker (3.10 or later).
//!
//! The only module that knows AMQP and the library behind it. How the parts fit:
//!
//! - [`topology`] says which queues exist and with which arguments, as data.
//! - `link` keeps one connection up; there are two, for publishing and for consuming. `board` tells how they are.
//! - `publisher` returns when a message is safe; `session` is one life of a consumer, `consumer` strings them together,
//!   `receipt` carries verdicts out.
//! - `dead_letters` reads what was given up; [`inspect`] looks at a broker without touching it.
//!
//! The broker's own counters differ between versions, so attempts are counted in our headers. Its limit of
//! deliveries is the last resort against messages that kill their workers before they can say anything.
//!
//! With two lanes, up to `prefetch` messages of the later one lie here reserved while the earlier one keeps the slots
//! busy. They are handed back when the consumer closes or its process ends.

mod address;
mod backoff;
mod board;
mod connect;
mod consumer;
mod dead_letters;
mod declare;
mod definitions;
mod greeting;
mod headers;
pub mod inspect;
mod link;
mod publisher;
mod receipt;
mod refusal;
mod session;
pub mod topology;

use std::sync::Arc;

use async_trait::async_trait;
use facereel_domain::settings::QueueSettings;
use lapin::options::QueuePurgeOptions;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::address::Address;
use self::board::Board;
use self::consumer::RabbitConsumer;
use self::dead_letters::Desk;
use self::declare::Onlooker;
pub use self::definitions::definitions;
use self::headers::{Outgoing, unix_ms};
use self::link::{Link, Role};
use self::publisher::{Parcel, Publisher};
use self::refusal::failed;
use self::topology::DelayClass;
use crate::error::{QueueError, QueueErrorKind};
use crate::health::QueueHealth;
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, DeadLetter, DeadLetterVerdict, Depth, Queue};

/// Queues at a broker. Connections end with this and its last delivery.
pub struct RabbitQueue(Arc<Shared>);

/// What consumers and receipts need, too.
struct Shared {
    publisher: Publisher,
    consume: Link,
    board: Arc<Board>,
    closed: CancellationToken,
}

impl RabbitQueue {
    /// Connects to the broker that `settings.url` names, as `client`. Fails at once where it can't be reached; once
    /// connected, losses are made good without end.
    pub async fn open(settings: &QueueSettings, client: &str) -> Result<Self, QueueError> {
        let address = Address::of(settings, client).await?;
        let board = Arc::new(Board::new());
        let publisher = Publisher::open(&address, Arc::clone(&board)).await?;
        let consume = Link::open(&address, Role::Consume, Arc::clone(&board)).await?;
        Ok(Self(Arc::new(Shared { publisher, consume, board, closed: CancellationToken::new() })))
    }

    /// Over the consuming connection: a broker in an alarm still answers there.
    fn onlooker(&self) -> Onlooker<'_> {
        Onlooker::new(&self.0.consume)
    }

    async fn desk(&self) -> Result<Desk, QueueError> {
        Desk::lay_out(self.0.consume.channel().await?).await
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
        let target = topology::jobs(*name);
        self.0.publisher.publish(Parcel { target: &target, body: message.body(), properties }).await
    }

    async fn consume(&self, names: &[QueueName], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        Ok(Box::new(RabbitConsumer::open(Arc::clone(&self.0), names, prefetch).await?))
    }

    async fn depth(&self, name: &QueueName) -> Result<Depth, QueueError> {
        let mut onlooker = self.onlooker();
        let mut depth = Depth::default();
        if let Some(counts) = onlooker.look(&name.to_string()).await? {
            (depth.ready, depth.consumers) = (counts.messages, counts.consumers);
        }
        for class in DelayClass::ALL {
            let delayed = onlooker.look(&topology::delay(*name, class).name).await?;
            depth.delayed += delayed.map_or(0, |counts| counts.messages);
        }
        Ok(depth)
    }

    async fn purge(&self, name: &QueueName) -> Result<u64, QueueError> {
        let mut onlooker = self.onlooker();
        let delays = DelayClass::ALL.map(|class| topology::delay(*name, class).name);
        let mut removed = 0;
        // Delays first: what expires meanwhile is found in the queue itself.
        for queue in delays.into_iter().chain([name.to_string()]) {
            if onlooker.look(&queue).await?.is_some() {
                let channel = onlooker.channel().await?;
                let purged = channel.queue_purge(queue.as_str().into(), QueuePurgeOptions::default()).await;
                removed += u64::from(purged.map_err(|error| failed(error, format!("purge of {queue}")))?);
            }
        }
        Ok(removed)
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.desk().await?.show(limit).await
    }

    async fn settle_dead_letter(&self, id: &str, verdict: DeadLetterVerdict) -> Result<bool, QueueError> {
        Ok(!self.settle_dead_letters(&[id.to_owned()], verdict).await?.is_empty())
    }

    async fn settle_dead_letters(
        &self,
        ids: &[String],
        verdict: DeadLetterVerdict,
    ) -> Result<Vec<String>, QueueError> {
        let desk = self.desk().await?;
        let mut found = Vec::new();
        for id in ids {
            let Some(lent) = desk.find(id).filter(|_| !found.contains(id)) else { continue };
            if verdict == DeadLetterVerdict::Replay {
                let mut headers = lent.letter.message.headers.clone();
                headers.attempt = 1;
                let (target, properties) = (topology::jobs(lent.letter.queue), Outgoing::of(&headers).kept());
                self.0.publisher.publish(Parcel { target: &target, body: &lent.body, properties }).await?;
            }
            desk.remove(lent).await?;
            found.push(id.clone());
        }
        desk.hand_back().await?;
        Ok(found)
    }

    fn health(&self) -> watch::Receiver<QueueHealth> {
        self.0.board.health()
    }

    async fn close(&self) -> Result<(), QueueError> {
        self.0.closed.cancel();
        Ok(())
    }
}
