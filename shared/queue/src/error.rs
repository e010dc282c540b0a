//! What can go wrong with a queue.

use std::error::Error;

use crate::message::Message;

/// URLs that [`crate::open`] understands, for error texts and help.
pub const SUPPORTED_URLS: &str = "in-process:, amqp://user:password@host:port/vhost, amqps://…";

type Source = Box<dyn Error + Send + Sync>;

/// A failed operation on a queue: what kind of failure, where, and what is behind it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct QueueError {
    kind: QueueErrorKind,
    place: String,
    #[source]
    source: Option<Source>,
}

/// Kinds of failure, as far as callers treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueErrorKind {
    /// The body is larger than [`Message::MAX_BODY_BYTES`].
    #[error(
        "the message is larger than {} bytes; large data belongs into the store",
        Message::MAX_BODY_BYTES
    )]
    TooLarge,
    /// The URL names no queue that this program knows.
    #[error("no such kind of queue; supported: {SUPPORTED_URLS}")]
    InvalidUrl,
    /// The broker refuses for a reason that trying again does not cure: credentials, permissions, other arguments.
    #[error("the broker refuses")]
    Refused,
    /// The broker can't be reached or has no room at the moment.
    #[error("the queue is not available at the moment")]
    Unavailable,
    /// The message was sent, but nobody confirmed it: it may be in the queue or not.
    #[error("no confirmation came; the message may be in the queue")]
    Unconfirmed,
    /// The queue was closed on this side.
    #[error("the queue is closed")]
    Closed,
}

impl QueueError {
    /// A failure of `kind` at `place` (the operation and the queue's name).
    pub fn new(kind: QueueErrorKind, place: impl Into<String>) -> Self {
        Self { kind, place: place.into(), source: None }
    }

    /// The same with the error behind it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same with another text for where it happened.
    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> QueueErrorKind {
        self.kind
    }

    /// Whether the same call would fail again however often it is tried.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self.kind, QueueErrorKind::TooLarge | QueueErrorKind::InvalidUrl | QueueErrorKind::Refused)
    }

    pub(crate) fn invalid_url(scheme: &str) -> Self {
        Self::new(QueueErrorKind::InvalidUrl, format!("queue URL with scheme '{scheme}'"))
    }
}
