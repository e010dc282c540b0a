//! Publishing: returns once the broker is responsible for a message, whatever happens to connections meanwhile.
//!
//! A message is safe when the broker confirmed it *and* did not return it as one without a queue; a confirmation
//! alone says only that it was dealt with. On any loss it is published again, so the queue may hold it twice: jobs are
//! idempotent. A broker that answers nothing for a while is left and connected to anew: one that was restarted may still
//! wait for a queue to come up. A blocked one is waited for without limit, for it only gets better when nobody pushes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use super::address::Address;
use super::backoff::Backoff;
use super::board::Board;
use super::declare::declare;
use super::link::{Link, Live, Role};
use super::refusal::failed;
use super::topology::QueueSpec;
use crate::error::{QueueError, QueueErrorKind};

/// How long one `publish` tries, not counting the time in which the broker takes no messages.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a confirmation may take before the connection is given up.
const CONFIRMATION_TIME_LIMIT: Duration = Duration::from_secs(10);

/// A message on its way.
pub(super) struct Parcel<'a> {
    pub(super) target: &'a QueueSpec,
    pub(super) body: &'a [u8],
    pub(super) properties: BasicProperties,
}

/// The publishing connection and its channel.
pub(super) struct Publisher {
    link: Link,
    current: Mutex<Option<Arc<ConfirmedChannel>>>,
}

/// A channel in confirm mode, and the queues declared on it.
struct ConfirmedChannel {
    live: Arc<Live>,
    channel: Channel,
    declared: Mutex<BTreeSet<String>>,
}

impl Publisher {
    /// Connects.
    pub(super) async fn open(address: &Address, board: Arc<Board>) -> Result<Self, QueueError> {
        Ok(Self { link: Link::open(address, Role::Publish, board).await?, current: Mutex::new(None) })
    }

    /// Puts a message into its queue.
    pub(super) async fn publish(&self, parcel: Parcel<'_>) -> Result<(), QueueError> {
        let mut backoff = Backoff::default();
        let mut until = Instant::now() + PATIENCE;
        loop {
            if self.link.is_blocked() {
                self.link.unblocked().await;
                until = Instant::now() + PATIENCE;
            }
            let error = match self.try_publish(&parcel, until).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            lock(&self.current).take();
            let pause = backoff.next_pause();
            if error.is_permanent() || Instant::now() + pause >= until {
                return Err(error);
            }
            warn!(queue = parcel.target.name, %error, "publishing again");
            sleep(pause).await;
        }
    }

    /// Waits while the broker takes no messages.
    pub(super) async fn unblocked(&self) {
        self.link.unblocked().await;
    }

    async fn try_publish(&self, parcel: &Parcel<'_>, until: Instant) -> Result<(), QueueError> {
        let live = timeout_at(until, self.link.live()).await;
        let live = live.map_err(|late| parcel.failure(QueueErrorKind::Unavailable).with_source(late))??;
        if let Some(outcome) = self.in_time(self.send(&live, parcel)).await {
            return outcome;
        }
        live.give_up();
        Err(parcel.failure(QueueErrorKind::Unconfirmed))
    }

    /// One try on `live`, without a limit of time.
    async fn send(&self, live: &Arc<Live>, parcel: &Parcel<'_>) -> Result<(), QueueError> {
        let channel = self.channel_on(live).await?;
        channel.declare_once(parcel.target).await?;
        let refused = |reason: String| Err(parcel.failure(QueueErrorKind::Unavailable).with_source(reason));
        match channel.publish(parcel).await {
            Ok(Confirmation::Ack(None)) => Ok(()),
            Ok(Confirmation::Ack(Some(returned))) => {
                refused(format!("the broker has no such queue ({})", returned.reply_text))
            }
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
                refused("the broker did not take it".to_owned())
            }
            Err(error) => Err(parcel.failure(QueueErrorKind::Unconfirmed).with_source(error)),
        }
    }

    /// The outcome of `sending`, unless it takes too long while the broker takes messages.
    async fn in_time<T>(&self, sending: impl Future<Output = T>) -> Option<T> {
        let mut sending = std::pin::pin!(sending);
        loop {
            tokio::select! {
                outcome = &mut sending => return Some(outcome),
                () = sleep(CONFIRMATION_TIME_LIMIT) => {}
            }
            if !self.link.is_blocked() {
                return None;
            }
        }
    }

    /// The channel in use, or a new one. Two tasks may open one each at the same moment; the later stays.
    async fn channel_on(&self, live: &Arc<Live>) -> Result<Arc<ConfirmedChannel>, QueueError> {
        let is_usable =
            |c: &&Arc<ConfirmedChannel>| Arc::ptr_eq(&c.live, live) && c.channel.status().connected();
        if let Some(channel) = lock(&self.current).as_ref().filter(is_usable) {
            return Ok(Arc::clone(channel));
        }
        let channel = live.channel().await?;
        let confirmed = channel.confirm_select(ConfirmSelectOptions::default()).await;
        confirmed.map_err(|error| failed(error, "publisher confirms"))?;
        let live = Arc::clone(live);
        let opened = Arc::new(ConfirmedChannel { live, channel, declared: Mutex::new(BTreeSet::new()) });
        *lock(&self.current) = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl Parcel<'_> {
    fn failure(&self, kind: QueueErrorKind) -> QueueError {
        QueueError::new(kind, format!("publish to {}", self.target.name))
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

    async fn publish(&self, parcel: &Parcel<'_>) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let Parcel { target, body, properties } = parcel;
        let name = target.name.as_str().into();
        self.channel.basic_publish("".into(), name, options, body, properties.clone()).await?.await
    }
}

/// A panic elsewhere can't leave these half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
