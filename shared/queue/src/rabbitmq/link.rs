//! One connection that is always wanted: the supervisor that brings it back.
//!
//! The client library can recover connections by itself, but what it restores has no prefetch any more. So nothing
//! is restored here: on any loss the connection is dropped and a new one opened, for ever, with growing pauses. Whoever
//! had a channel on the old one opens another and starts from the beginning: prefetch, declarations, consumers. There
//! is one way to begin, and no second one to begin again.
//!
//! Publishing and consuming have a connection each. A broker in an alarm (memory, disk) stops reading from connections
//! that publish; acknowledgements on the same one would wait behind it, and nothing would ever get better.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::address::Address;
use super::backoff::Backoff;
use super::refusal;
use crate::error::{QueueError, QueueErrorKind};

/// How long a connection may take to say goodbye.
const GOODBYE_TIME_LIMIT: Duration = Duration::from_secs(2);
/// How long opening a channel may take on a connection that seems to live.
const CHANNEL_TIME_LIMIT: Duration = Duration::from_secs(10);

/// What a connection is for; part of the name that the broker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Publish,
    Consume,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
        }
    }
}

#[derive(Clone)]
enum State {
    Up(Arc<Connection>),
    /// Up, but the broker takes no messages at the moment.
    Blocked(Arc<Connection>),
    Down,
}

impl State {
    fn connection(&self) -> Option<&Arc<Connection>> {
        match self {
            Self::Up(connection) | Self::Blocked(connection) => Some(connection),
            Self::Down => None,
        }
    }
}

/// A supervised connection. It ends when this is dropped.
pub(super) struct Link {
    state: watch::Receiver<State>,
    place: String,
    ended: CancellationToken,
}

impl Link {
    /// Connects once, so that wrong credentials and addresses are noticed at once, and supervises from then on.
    pub(super) async fn open(address: &Address, role: Role) -> Result<Self, QueueError> {
        let first = connect(address, role).await.map_err(|error| failed(error, address.to_string()))?;
        let (sender, state) = watch::channel(State::Down);
        let ended = CancellationToken::new();
        let supervisor = Supervisor { address: address.clone(), role, state: sender };
        let until = ended.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = supervisor.run(first) => {}
            }
            supervisor.say_goodbye().await;
        });
        Ok(Self { state, place: address.to_string(), ended })
    }

    /// A new channel, as soon as there is a connection.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| state.connection().is_some()).await;
        let connection = up.ok().and_then(|state| state.connection().cloned());
        let connection = connection.ok_or_else(|| QueueError::new(QueueErrorKind::Closed, &self.place))?;
        match timeout(CHANNEL_TIME_LIMIT, connection.create_channel()).await {
            Ok(opened) => opened.map_err(|error| failed(error, &self.place)),
            Err(late) => Err(QueueError::new(QueueErrorKind::Unavailable, &self.place).with_source(late)),
        }
    }

    /// Whether the broker said that it takes no messages at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        matches!(*self.state.borrow(), State::Blocked(_))
    }

    /// Waits while the broker takes no messages.
    pub(super) async fn unblocked(&self) {
        // An error means that the supervisor ended: then nothing blocks any more.
        let _ = self.state.clone().wait_for(|state| !matches!(state, State::Blocked(_))).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

/// A failed operation at `place`: refused for good, or not available at the moment.
pub(super) fn failed(error: lapin::Error, place: impl Into<String>) -> QueueError {
    let kind =
        if refusal::is_refusal(&error) { QueueErrorKind::Refused } else { QueueErrorKind::Unavailable };
    QueueError::new(kind, place).with_source(error)
}

async fn connect(address: &Address, role: Role) -> lapin::Result<Connection> {
    let name = format!("facereel {} {}", role.as_str(), std::process::id());
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect_uri(address.uri(), properties).await
}

struct Supervisor {
    address: Address,
    role: Role,
    state: watch::Sender<State>,
}

impl Supervisor {
    /// Keeps a connection up; never returns.
    async fn run(&self, first: Connection) {
        let mut connection = first;
        loop {
            let current = Arc::new(connection);
            info!(role = self.role.as_str(), broker = %self.address, "connected");
            self.state.send_replace(State::Up(Arc::clone(&current)));
            let cause = self.watch(&current).await;
            self.state.send_replace(State::Down);
            warn!(role = self.role.as_str(), broker = %self.address, cause, "connection lost");
            drop(current);
            connection = self.connect_again().await;
        }
    }

    /// Follows a connection until it is lost, and returns why.
    async fn watch(&self, connection: &Arc<Connection>) -> String {
        let mut events = std::pin::pin!(connection.events_listener());
        // Lost before anybody listened: no event will tell.
        if !connection.status().connected() {
            return "closed right after it was opened".to_owned();
        }
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(reason) => {
                    warn!(broker = %self.address, reason, "the broker takes no messages; publishing waits");
                    self.state.send_replace(State::Blocked(Arc::clone(connection)));
                }
                Event::ConnectionUnblocked => {
                    info!(broker = %self.address, "the broker takes messages again");
                    self.state.send_replace(State::Up(Arc::clone(connection)));
                }
                Event::Error(error) if !connection.status().connected() => return error.to_string(),
                _ => {}
            }
        }
        "no more events".to_owned()
    }

    /// Tries until it works. Refusals count as losses here: while a broker starts, it refuses what it allows later.
    async fn connect_again(&self) -> Connection {
        let mut backoff = Backoff::default();
        loop {
            let pause = backoff.next_pause();
            sleep(pause).await;
            match connect(&self.address, self.role).await {
                Ok(connection) => return connection,
                Err(error) => {
                    warn!(role = self.role.as_str(), broker = %self.address, %error, "can't connect; trying on");
                }
            }
        }
    }

    async fn say_goodbye(&self) {
        let last = self.state.send_replace(State::Down);
        if let Some(connection) = last.connection() {
            // It may be gone already; the broker notices either way.
            let _ = timeout(GOODBYE_TIME_LIMIT, connection.close(200, "bye".into())).await;
        }
    }
}
