//! One connection that is always wanted: the supervisor that brings it back.
//!
//! The client library can recover connections by itself, but what it restores has no prefetch any more. So nothing
//! is restored here: on any loss the connection is dropped and a new one opened, for ever, with growing pauses. Whoever
//! had a channel on the old one opens another and starts from the beginning: prefetch, declarations, consumers. There
//! is one way to begin, and no second one to begin again.
//!
//! A connection can also be lost without anybody noticing: the broker answers its heartbeats, but not what is asked of
//! it. Whoever waited too long gives it up ([`Live::give_up`]), and it is treated like any other loss. So is a connection
//! that opens no more channels: the client library keeps the number of each channel that the broker closed for an error,
//! and answers with that error once the numbers have gone round.
//!
//! Publishing and consuming have a connection each. A broker in an alarm (memory, disk) stops reading from connections
//! that publish; acknowledgements on the same one would wait behind it, and nothing would ever get better.

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::cause::chain;
use futures_util::StreamExt;
use lapin::{Channel, Connection, Event};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::address::Address;
use super::backoff::Backoff;
use super::board::Board;
use super::connect::connect;
use super::refusal::failed;
use crate::error::{QueueError, QueueErrorKind};
use crate::health::QueueState;

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

/// A connection, as long as it lasts.
pub(super) struct Live {
    connection: Connection,
    place: String,
    given_up: CancellationToken,
}

impl Live {
    /// A new channel. Where there is none to be had, this connection is given up.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let opened = match timeout(CHANNEL_TIME_LIMIT, self.connection.create_channel()).await {
            Ok(opened) => opened.map_err(|error| failed(error, &self.place)),
            Err(late) => Err(QueueError::new(QueueErrorKind::Unavailable, &self.place).with_source(late)),
        };
        opened.inspect_err(|_| self.give_up())
    }

    /// It does not do what it should: a new one is wanted.
    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }

    fn is_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }

    async fn close(&self) {
        // It may be gone already; the broker notices either way.
        let _ = timeout(GOODBYE_TIME_LIMIT, self.connection.close(200, "bye".into())).await;
    }
}

#[derive(Clone)]
enum State {
    Up(Arc<Live>),
    /// Up, but the broker takes no messages at the moment.
    Blocked(Arc<Live>),
    Down,
}

impl State {
    fn live(&self) -> Option<&Arc<Live>> {
        match self {
            Self::Up(live) | Self::Blocked(live) if !live.is_given_up() => Some(live),
            Self::Up(_) | Self::Blocked(_) | Self::Down => None,
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
    pub(super) async fn open(address: &Address, role: Role, board: Arc<Board>) -> Result<Self, QueueError> {
        let first = connect(address, role.as_str()).await?;
        let (sender, state) = watch::channel(State::Down);
        let ended = CancellationToken::new();
        let supervisor = Supervisor { address: address.clone(), role, state: sender, board };
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

    /// The connection, as soon as there is one.
    pub(super) async fn live(&self) -> Result<Arc<Live>, QueueError> {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| state.live().is_some()).await;
        let live = up.ok().and_then(|state| state.live().cloned());
        live.ok_or_else(|| QueueError::new(QueueErrorKind::Closed, &self.place))
    }

    /// A new channel, as soon as there is a connection.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        self.live().await?.channel().await
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

struct Supervisor {
    address: Address,
    role: Role,
    state: watch::Sender<State>,
    board: Arc<Board>,
}

impl Supervisor {
    /// Keeps a connection up; never returns.
    async fn run(&self, first: Connection) {
        let mut connection = first;
        loop {
            let place = self.address.to_string();
            let live = Arc::new(Live { connection, place, given_up: CancellationToken::new() });
            info!(role = self.role.as_str(), broker = %self.address, "connected");
            self.is_up(&live);
            let cause = tokio::select! {
                cause = self.watch(&live) => cause,
                () = live.given_up.cancelled() => "it did not answer, or opened no channel".to_owned(),
            };
            self.state.send_replace(State::Down);
            warn!(role = self.role.as_str(), broker = %self.address, cause, "connection lost");
            self.board.note(self.role, QueueState::Reconnecting { cause });
            // Channels keep a connection open, and they may live on with whoever holds a delivery.
            live.close().await;
            connection = self.connect_again().await;
        }
    }

    /// Follows a connection until it is lost, and returns why.
    async fn watch(&self, live: &Arc<Live>) -> String {
        let mut events = std::pin::pin!(live.connection.events_listener());
        // Lost before anybody listened: no event will tell.
        if !live.connection.status().connected() {
            return "closed right after it was opened".to_owned();
        }
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(reason) => {
                    warn!(broker = %self.address, reason, "the broker takes no messages; publishing waits");
                    self.state.send_replace(State::Blocked(Arc::clone(live)));
                    self.board.note(self.role, QueueState::Blocked { reason: reason.as_str().to_owned() });
                }
                Event::ConnectionUnblocked => {
                    info!(broker = %self.address, "the broker takes messages again");
                    self.is_up(live);
                }
                Event::Error(error) if !live.connection.status().connected() => return error.to_string(),
                _ => {}
            }
        }
        "no more events".to_owned()
    }

    fn is_up(&self, live: &Arc<Live>) {
        self.state.send_replace(State::Up(Arc::clone(live)));
        self.board.note(self.role, QueueState::Connected);
    }

    /// Tries until it works. Refusals count as losses here: while a broker starts, it refuses what it allows later.
    async fn connect_again(&self) -> Connection {
        let mut backoff = Backoff::default();
        loop {
            tokio::select! {
                () = sleep(backoff.next_pause()) => {}
                () = self.board.connected() => {}
            }
            match connect(&self.address, self.role.as_str()).await {
                Ok(connection) => return connection,
                Err(error) => {
                    let cause = chain(&error);
                    warn!(role = self.role.as_str(), cause, "can't connect; trying on");
                    self.board.note(self.role, QueueState::Reconnecting { cause });
                }
            }
        }
    }

    async fn say_goodbye(&self) {
        if let Some(live) = self.state.send_replace(State::Down).live() {
            live.close().await;
        }
    }
}
