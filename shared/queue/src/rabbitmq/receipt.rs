//! Verdicts, carried out.
//!
//! A retry and a dead letter are published to where they wait, confirmed, and only then is the original acknowledged:
//! a crash in between makes two of them, never none.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::Channel;
use lapin::options::BasicAckOptions;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use super::Shared;
use super::headers::Outgoing;
use super::publisher::Parcel;
use super::refusal::failed;
use super::session::hand_back;
use super::topology::{self, DelayClass};
use crate::error::QueueError;
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Receipt, Verdict};

/// A message, and where its verdict goes.
pub(super) struct Arrived {
    pub(super) queue: QueueName,
    pub(super) message: Message,
    pub(super) tag: u64,
    pub(super) channel: Channel,
}

/// Holds a delivered message until its verdict. Also keeps connections and channel open until then.
pub(super) struct RabbitReceipt {
    shared: Arc<Shared>,
    channel: Channel,
    tag: u64,
    queue: QueueName,
    message: Message,
    slot: Option<OwnedSemaphorePermit>,
    is_settled: bool,
    /// Drops happen anywhere, also outside of the runtime.
    runtime: Handle,
}

impl RabbitReceipt {
    /// The receipt of a message that takes up `slot` of its consumer.
    pub(super) fn new(shared: Arc<Shared>, arrived: &Arrived, slot: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            shared,
            channel: arrived.channel.clone(),
            tag: arrived.tag,
            queue: arrived.queue,
            message: arrived.message.clone(),
            slot,
            is_settled: false,
            runtime: Handle::current(),
        }
    }

    async fn acknowledge(&mut self) -> Result<(), QueueError> {
        let acknowledged = self.channel.basic_ack(self.tag, BasicAckOptions::default()).await;
        // Where this fails, the channel is gone, and the message comes back without our doing.
        self.is_settled = true;
        acknowledged.map_err(|error| failed(error, format!("acknowledgement to {}", self.queue)))
    }

    async fn retry(&mut self, delay: Duration, reason: &str) -> Result<(), QueueError> {
        let mut next = self.message.headers.clone();
        next.attempt = next.attempt.saturating_add(1);
        let target = topology::delay(self.queue, DelayClass::of(delay));
        let properties = Outgoing::of(&next).because(reason).expiring(delay);
        let body = self.message.body();
        self.shared.publisher.publish(Parcel { target: &target, body, properties }).await?;
        self.acknowledge().await
    }

    async fn bury(&mut self, reason: &str) -> Result<(), QueueError> {
        let properties = Outgoing::of(&self.message.headers).because(reason).given_up(self.queue).kept();
        let (target, body) = (topology::dead_letters(), self.message.body());
        self.shared.publisher.publish(Parcel { target: &target, body, properties }).await?;
        self.acknowledge().await
    }

    async fn release(&mut self) -> Result<(), QueueError> {
        self.is_settled = true;
        hand_back(&self.channel, self.tag).await
    }
}

#[async_trait]
impl Receipt for RabbitReceipt {
    async fn settle(mut self: Box<Self>, verdict: Verdict) -> Result<(), QueueError> {
        match verdict {
            Verdict::Acknowledge => self.acknowledge().await,
            Verdict::Retry { delay, reason } => self.retry(delay, &reason).await,
            Verdict::DeadLetter { reason } => self.bury(&reason).await,
            Verdict::Release => self.release().await,
        }
    }
}

impl Drop for RabbitReceipt {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let (channel, tag) = (self.channel.clone(), self.tag);
        let (shared, slot) = (Arc::clone(&self.shared), self.slot.take());
        self.runtime.spawn(async move {
            if let Err(error) = hand_back(&channel, tag).await {
                debug!(%error, "the broker hands it out again by itself");
            }
            // Only now may another message take its place, and the connection end.
            drop((slot, shared));
        });
    }
}
