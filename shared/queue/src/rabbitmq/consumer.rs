//! Consuming: a session after the other, so that callers see one endless stream.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lapin::Channel;
use lapin::options::BasicNackOptions;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::Shared;
use super::backoff::Backoff;
use super::headers;
use super::receipt::{Arrived, RabbitReceipt};
use super::session::Session;
use crate::error::QueueError;
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, Delivery};

/// How long a broken session may take to hand back what it holds.
const GOODBYE_TIME_LIMIT: Duration = Duration::from_secs(2);

/// A consumer of several queues.
pub(super) struct RabbitConsumer {
    shared: Arc<Shared>,
    names: Vec<QueueName>,
    prefetch: u16,
    /// The broker limits each queue for itself; this limits all together. Receipts hold the permits.
    slots: Arc<Semaphore>,
    session: Option<Session>,
    backoff: Backoff,
}

impl RabbitConsumer {
    /// Begins to consume; refusals are noticed here.
    pub(super) async fn open(
        shared: Arc<Shared>,
        names: &[QueueName],
        prefetch: usize,
    ) -> Result<Self, QueueError> {
        let prefetch = u16::try_from(prefetch.max(1)).unwrap_or(u16::MAX);
        let mut consumer = Self {
            shared,
            names: names.to_vec(),
            prefetch,
            slots: Arc::new(Semaphore::new(prefetch.into())),
            session: None,
            backoff: Backoff::default(),
        };
        consumer.ensure_session().await?;
        Ok(consumer)
    }

    /// Opens sessions until one is open; only a refusal ends that. Safe to cancel: a session half open is dropped.
    async fn ensure_session(&mut self) -> Result<(), QueueError> {
        while self.session.is_none() {
            match Session::open(&self.shared.consume, &self.names, self.prefetch).await {
                Ok(session) => self.session = Some(session),
                Err(error) if error.is_permanent() => return Err(error),
                Err(error) => {
                    warn!(%error, "can't consume; trying on");
                    sleep(self.backoff.next_pause()).await;
                }
            }
        }
        Ok(())
    }

    /// The next delivery, whatever happens to sessions. Safe to cancel: messages wait in the session.
    async fn next_while_open(&mut self) -> Result<Delivery, QueueError> {
        // Never closed, so there is always a permit at last.
        let mut permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        loop {
            self.ensure_session().await?;
            let Some(session) = self.session.as_mut() else { continue };
            match session.next().await {
                Ok((queue, incoming)) => {
                    self.backoff = Backoff::default();
                    let channel = session.channel().clone();
                    if let Some(message) = accept(&channel, queue, &incoming).await {
                        let arrived = Arrived { queue, message, tag: incoming.delivery_tag, channel };
                        let receipt = RabbitReceipt::new(Arc::clone(&self.shared), &arrived, permit.take());
                        let delivery = Delivery::new(arrived.message, queue, Box::new(receipt));
                        return Ok(if incoming.redelivered {
                            delivery.marked_redelivered()
                        } else {
                            delivery
                        });
                    }
                }
                Err(error) => {
                    warn!(%error, "consuming again");
                    self.end_session().await;
                }
            }
        }
    }

    /// Leaves a broken session. What of it still works is handed back; the rest comes back by itself.
    async fn end_session(&mut self) {
        let Some(session) = self.session.take() else { return };
        match timeout(GOODBYE_TIME_LIMIT, session.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the session was gone altogether"),
            Err(_) => debug!("the session does not answer any more"),
        }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        let closed = self.shared.closed.clone();
        tokio::select! {
            biased;
            () = closed.cancelled() => Ok(None),
            delivery = self.next_while_open() => delivery.map(Some),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<(), QueueError> {
        match self.session.take() {
            Some(session) => session.close().await,
            None => Ok(()),
        }
    }
}

/// The message that came, unless it is larger than any of ours: then the broker buries it as it is.
async fn accept(channel: &Channel, queue: QueueName, incoming: &lapin::message::Delivery) -> Option<Message> {
    match Message::new(Bytes::copy_from_slice(&incoming.data)) {
        Ok(message) => Some(message.with_headers(headers::incoming(&incoming.properties))),
        Err(error) => {
            warn!(%queue, %error, "to the dead letters");
            // If this fails, the message comes again.
            let _ = channel.basic_nack(incoming.delivery_tag, BasicNackOptions::default()).await;
            None
        }
    }
}
