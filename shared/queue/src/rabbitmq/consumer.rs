//! Consuming: a session after the other, so that callers see one endless stream.
//!
//! While the broker takes no messages, none are handed out either: what a job leads to could not be published, and its
//! worker would hang. Verdicts go on.
//!
//! **Silence is not trusted for long.** When a queue is deleted, the broker ends its subscriptions, and the session with
//! them. But when somebody declares the queue again at the same moment, the broker keeps the subscription, delivers to it
//! in its books, and sends nothing (seen with 3.10). No question over AMQP brings that to light. So a session in which
//! nothing came for a while is ended, which makes the broker hand out everything again, and the next one begins.
//!
//! **Workers look up often.** They drop a `next` that waits and call it again, every second or so. What takes longer than
//! that, and the time of silence, is therefore kept here and not in `next`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lapin::Channel;
use lapin::options::BasicNackOptions;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout, timeout_at};
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

/// How long nothing may come before a new session begins: a few commands each time for an idle worker.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
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
    /// The next session on its way, while there is none.
    opening: Option<Opening>,
    /// When something came last, or a session began.
    heard: Instant,
    backoff: Backoff,
}

type Opening = Pin<Box<dyn Future<Output = Result<Session, QueueError>> + Send>>;

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
            opening: None,
            heard: Instant::now(),
            backoff: Backoff::default(),
        };
        consumer.ensure_session().await?;
        Ok(consumer)
    }

    /// Opens sessions until one is open; only a refusal ends that. Safe to cancel: the next call goes on with it.
    async fn ensure_session(&mut self) -> Result<(), QueueError> {
        while self.session.is_none() {
            let opening = self.opening.take();
            let opening = opening.unwrap_or_else(|| self.begin_after(None, Duration::ZERO));
            match self.opening.insert(opening).await {
                Ok(session) => {
                    (self.session, self.opening) = (Some(session), None);
                    self.heard = Instant::now();
                }
                Err(error) if error.is_permanent() => {
                    self.opening = None;
                    return Err(error);
                }
                Err(error) => {
                    warn!(%error, "can't consume; trying on");
                    let pause = self.backoff.next_pause();
                    self.opening = Some(self.begin_after(None, pause));
                }
            }
        }
        Ok(())
    }

    /// Leaves the session, broken or silent, for a new one.
    fn renew_session(&mut self) {
        let last = self.session.take();
        self.opening = Some(self.begin_after(last, Duration::ZERO));
    }

    /// A new session, after the `last` one is closed and a `pause` is over.
    fn begin_after(&self, last: Option<Session>, pause: Duration) -> Opening {
        let (shared, names, prefetch) = (Arc::clone(&self.shared), self.names.clone(), self.prefetch);
        Box::pin(async move {
            if let Some(last) = last {
                leave(last).await;
            }
            sleep(pause).await;
            Session::open(&shared.consume, &names, prefetch).await
        })
    }

    /// The next delivery, whatever happens to sessions. Safe to cancel: messages wait in the session.
    async fn next_while_open(&mut self) -> Result<Delivery, QueueError> {
        self.shared.publisher.unblocked().await;
        // Never closed, so there is always a permit at last.
        let mut permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        loop {
            self.ensure_session().await?;
            let Some(session) = self.session.as_mut() else { continue };
            match timeout_at(self.heard + LONGEST_SILENCE, session.next()).await {
                Err(_silence) => self.renew_session(),
                Ok(Ok((queue, incoming))) => {
                    (self.heard, self.backoff) = (Instant::now(), Backoff::default());
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
                Ok(Err(error)) => {
                    warn!(%error, "consuming again");
                    self.renew_session();
                }
            }
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

/// What of a session still works is handed back; the rest comes back by itself.
async fn leave(session: Session) {
    match timeout(GOODBYE_TIME_LIMIT, session.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the session was gone altogether"),
        Err(_) => debug!("the session does not answer any more"),
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
