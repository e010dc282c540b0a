//! One life of a consumer: a channel with its prefetch and one subscription for each queue.
//!
//! **Serving earlier queues first.** The broker pushes messages of all queues as they come, and each queue has its own
//! prefetch. So a message of a later queue often lies here when the next one of an earlier queue is still on its
//! way. Before a message of a later queue goes out, the broker is asked whether earlier ones hold more. It is asked
//! twice on the channel of the subscriptions: whatever was sent before the first answer has arrived when the second one
//! does. For jobs of seconds these two round trips cost nothing.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::time::timeout;

use super::declare::{count, declare};
use super::link::{Link, Live};
use super::refusal::failed;
use super::topology;
use crate::error::{QueueError, QueueErrorKind};
use crate::name::QueueName;

/// How long a message that an earlier queue says to hold may take to come; somebody else may have got it.
const ARRIVAL_TIME_LIMIT: Duration = Duration::from_millis(50);
/// How long it may take to begin on a connection that seems to live.
const BEGIN_TIME_LIMIT: Duration = Duration::from_secs(15);
/// How often earlier queues are waited for, so that none can stop the later ones by a wrong count.
const WAITS: usize = 3;

/// A channel that consumes.
pub(super) struct Session {
    channel: Channel,
    lanes: Vec<Lane>,
}

/// The subscription to one queue.
struct Lane {
    name: QueueName,
    incoming: Consumer,
    /// Came, but did not go out yet.
    waiting: Option<Delivery>,
    /// The broker ended the subscription: it has forgotten about it, and asking it to end it again has no answer.
    is_over: bool,
}

impl Session {
    /// Opens one as soon as there is a connection. One that does not answer is given up.
    pub(super) async fn open(link: &Link, names: &[QueueName], prefetch: u16) -> Result<Self, QueueError> {
        let live = link.live().await?;
        match timeout(BEGIN_TIME_LIMIT, Self::begin(&live, names, prefetch)).await {
            Ok(begun) => begun,
            Err(late) => {
                live.give_up();
                Err(QueueError::new(QueueErrorKind::Unavailable, "begin to consume").with_source(late))
            }
        }
    }

    /// Prefetch, declarations, subscriptions, in this order.
    async fn begin(live: &Live, names: &[QueueName], prefetch: u16) -> Result<Self, QueueError> {
        let channel = live.channel().await?;
        let limited = channel.basic_qos(prefetch, BasicQosOptions::default()).await;
        limited.map_err(|error| failed(error, "prefetch"))?;
        declare(&channel, &topology::dead_letters()).await?;
        let mut lanes = Vec::with_capacity(names.len());
        for &name in names {
            declare(&channel, &topology::jobs(name)).await?;
            let queue = name.to_string();
            let options = BasicConsumeOptions::default();
            let consuming =
                channel.basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default());
            let incoming = consuming.await.map_err(|error| failed(error, format!("consume {name}")))?;
            lanes.push(Lane { name, incoming, waiting: None, is_over: false });
        }
        Ok(Self { channel, lanes })
    }

    /// The channel on which deliveries of this session get their verdict.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Waits for the next delivery; an error means that this session is over. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<(QueueName, Delivery), QueueError> {
        loop {
            let first = poll_fn(|cx| self.poll_arrival(cx)).await?;
            if first > 0 {
                self.wait_for_earlier(first).await?;
            }
            // Something earlier may have come meanwhile.
            let arrived = self.lanes.iter_mut().find_map(|lane| Some((lane.name, lane.waiting.take()?)));
            if let Some(arrived) = arrived {
                return Ok(arrived);
            }
        }
    }

    /// Returns when a message of an earlier lane than `later` has come, or when there is none.
    async fn wait_for_earlier(&mut self, later: usize) -> Result<(), QueueError> {
        for _ in 0..WAITS {
            let mut held = 0;
            for _twice in 0..2 {
                held = 0;
                for lane in &self.lanes[..later] {
                    held += count(&self.channel, &lane.name.to_string()).await?;
                }
            }
            let limit = if held == 0 { Duration::ZERO } else { ARRIVAL_TIME_LIMIT };
            let earlier = poll_fn(|cx| match self.poll_arrival(cx) {
                Poll::Ready(Ok(first)) if first >= later => Poll::Pending,
                other => other,
            });
            match timeout(limit, earlier).await {
                Ok(arrived) => return arrived.map(|_| ()),
                Err(_) if held == 0 => return Ok(()),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The first lane in which a message waits.
    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, QueueError>> {
        for lane in &mut self.lanes {
            if lane.waiting.is_some() {
                continue;
            }
            match Pin::new(&mut lane.incoming).poll_next(cx) {
                Poll::Ready(Some(Ok(delivery))) => lane.waiting = Some(delivery),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(ended(lane.name).with_source(error)));
                }
                // The broker cancelled the subscription: the queue was deleted or lost its leader.
                Poll::Ready(None) => {
                    lane.is_over = true;
                    return Poll::Ready(Err(ended(lane.name)));
                }
                Poll::Pending => {}
            }
        }
        self.lanes
            .iter()
            .position(|lane| lane.waiting.is_some())
            .map_or(Poll::Pending, |i| Poll::Ready(Ok(i)))
    }

    /// Ends the subscriptions and hands back what did not go out. The channel lives on for deliveries that are out.
    pub(super) async fn close(mut self) -> Result<(), QueueError> {
        for lane in &mut self.lanes {
            if !lane.is_over {
                let tag = lane.incoming.tag();
                let cancelled = self.channel.basic_cancel(tag, BasicCancelOptions::default()).await;
                cancelled.map_err(|error| failed(error, format!("end of {}", lane.name)))?;
            }
            while let Some(delivery) = lane.take_arrived().await {
                hand_back(&self.channel, delivery.delivery_tag).await?;
            }
        }
        Ok(())
    }
}

impl Lane {
    /// A message that is here, without waiting for others.
    async fn take_arrived(&mut self) -> Option<Delivery> {
        if self.waiting.is_some() {
            return self.waiting.take();
        }
        poll_fn(|cx| match Pin::new(&mut self.incoming).poll_next(cx) {
            Poll::Ready(Some(Ok(delivery))) => Poll::Ready(Some(delivery)),
            _ => Poll::Ready(None),
        })
        .await
    }
}

fn ended(name: QueueName) -> QueueError {
    QueueError::new(QueueErrorKind::Unavailable, format!("subscription to {name} ended"))
}

/// Lets the broker deliver a message again at once.
pub(super) async fn hand_back(channel: &Channel, delivery_tag: u64) -> Result<(), QueueError> {
    let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    channel.basic_nack(delivery_tag, options).await.map_err(|error| failed(error, "hand back"))
}
