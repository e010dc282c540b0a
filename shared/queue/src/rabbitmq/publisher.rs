//! Publishing: returns once the broker is responsible for a message, whatever happens to connections meanwhile.
//!
//! A message is safe when the broker confirmed it *and* did not return it as one without a queue; a confirmation
//! alone says only that it was dealt with. On any loss it is published again, so the queue may hold it twice: jobs are
//! idempotent. A blocked broker is waited for without limit, for it only gets better when nobody pushes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use super::address::Address;
use super::backoff::Backoff;
use super::declare::declare;
use super::link::{Link, Role, failed};
use super::topology::QueueSpec;
use crate::error::{QueueError, QueueErrorKind};

/// How long one `publish` tries, not counting the time in which the broker takes no messages.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a confirmation may take before the connection is doubted.
const CONFIRMATION_TIME_LIMIT: Duration = Duration::from_secs(20);

/// The publishing connection and its channel.
pub(super) struct Publisher {
    link: Link,
    current: Mutex<Option<Arc<ConfirmedChannel>>>,
}

/// A channel in confirm mode, and the queues declared on it.
struct ConfirmedChannel {
    channel: Channel,
    declared: Mutex<BTreeSet<String>>,
}

impl Publisher {
    /// Connects.
    pub(super) async fn open(address: &Address) -> Result<Self, QueueError> {
        Ok(Self { link: Link::open(address, Role::Publish).await?, current: Mutex::new(None) })
    }

    /// Puts a message into the queue of `target`.
    pub(super) async fn publish(
        &self,
        target: &QueueSpec,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), QueueError> {
        let mut backoff = Backoff::default();
        let mut until = Instant::now() + PATIENCE;
        loop {
            if self.link.is_blocked() {
                self.link.unblocked().await;
                until = Instant::now() + PATIENCE;
            }
            let error = match self.try_publish(target, body, &properties, until).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            lock(&self.current).take();
            let pause = backoff.next_pause();
            if error.is_permanent() || Instant::now() + pause >= until {
                return Err(error);
            }
            warn!(queue = target.name, %error, "publishing again");
            sleep(pause).await;
        }
    }

    async fn try_publish(
        &self,
        target: &QueueSpec,
        body: &[u8],
        properties: &BasicProperties,
        until: Instant,
    ) -> Result<(), QueueError> {
        let place = || format!("publish to {}", target.name);
        let late = |error| QueueError::new(QueueErrorKind::Unavailable, place()).with_source(error);
        let channel = timeout_at(until, self.channel()).await.map_err(late)??;
        channel.declare_once(target).await?;
        let confirmation = channel.publish(&target.name, body, properties.clone());
        match self.in_time(confirmation).await {
            Some(Ok(Confirmation::Ack(None))) => Ok(()),
            Some(Ok(Confirmation::Ack(Some(returned)))) => {
                let reason = format!("the broker has no such queue ({})", returned.reply_text);
                Err(QueueError::new(QueueErrorKind::Unavailable, place()).with_source(reason))
            }
            Some(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => {
                Err(QueueError::new(QueueErrorKind::Unavailable, place())
                    .with_source("the broker did not take it"))
            }
            Some(Err(error)) => Err(QueueError::new(QueueErrorKind::Unconfirmed, place()).with_source(error)),
            None => Err(QueueError::new(QueueErrorKind::Unconfirmed, place())),
        }
    }

    /// The outcome of `confirmation`, unless it takes too long while the broker takes messages.
    async fn in_time<T>(&self, confirmation: impl Future<Output = T>) -> Option<T> {
        let mut confirmation = std::pin::pin!(confirmation);
        loop {
            tokio::select! {
                outcome = &mut confirmation => return Some(outcome),
                () = sleep(CONFIRMATION_TIME_LIMIT) => {}
            }
            if !self.link.is_blocked() {
                return None;
            }
        }
    }

    /// The channel in use, or a new one. Two tasks may open one each at the same moment; the later stays.
    async fn channel(&self) -> Result<Arc<ConfirmedChannel>, QueueError> {
        if let Some(channel) = lock(&self.current).as_ref().filter(|c| c.channel.status().connected()) {
            return Ok(Arc::clone(channel));
        }
        let channel = self.link.channel().await?;
        let confirmed = channel.confirm_select(ConfirmSelectOptions::default()).await;
        confirmed.map_err(|error| failed(error, "publisher confirms"))?;
        let opened = Arc::new(ConfirmedChannel { channel, declared: Mutex::new(BTreeSet::new()) });
        *lock(&self.current) = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl ConfirmedChannel {
    /// Declares the queue, unless this channel did.
    async fn declare_once(&self, spec: &QueueSpec) -> Result<(), QueueError> {
        if lock(&self.declared).contains(&spec.name) {
            return Ok(());
        }
        declare(&self.channel, spec).await?;
        lock(&self.declared).insert(spec.name.clone());
        Ok(())
    }

    async fn publish(
        &self,
        queue: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        self.channel.basic_publish("".into(), queue.into(), options, body, properties).await?.await
    }
}

/// A panic elsewhere can't leave these half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
