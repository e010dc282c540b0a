//! What travels: a body of bytes and a few headers.

use bytes::Bytes;

use crate::error::{QueueError, QueueErrorKind};

/// A message: a body within the size limit, and headers that the queue itself reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    body: Bytes,
    /// What the queue knows about the message.
    pub headers: Headers,
}

/// What a queue knows about a message without looking into its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Which try this is, from 1. Counted here and not by the broker, whose counters differ between versions.
    pub attempt: u32,
    /// When the message was first published, milliseconds since 1970; the queue sets it where it is absent.
    pub first_seen_unix_ms: Option<u64>,
    /// W3C `traceparent` of the run, handed on unread.
    pub trace_context: Option<String>,
}

impl Message {
    /// Largest body. Jobs point to objects and stay far below it (64 KiB is their own target).
    pub const MAX_BODY_BYTES: usize = 1024 * 1024;

    /// A first message with `body`; refuses bodies over the limit.
    pub fn new(body: impl Into<Bytes>) -> Result<Self, QueueError> {
        let body = body.into();
        if body.len() > Self::MAX_BODY_BYTES {
            let place = format!("a message of {} bytes", body.len());
            return Err(QueueError::new(QueueErrorKind::TooLarge, place));
        }
        Ok(Self { body, headers: Headers::default() })
    }

    /// The same body with these headers.
    #[must_use]
    pub fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    /// The bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Default for Headers {
    /// A first attempt, not yet seen by any queue.
    fn default() -> Self {
        Self { attempt: 1, first_seen_unix_ms: None, trace_context: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_up_to_the_limit_exist_and_larger_ones_do_not() {
        assert!(Message::new(vec![0; Message::MAX_BODY_BYTES]).is_ok());
        let error = Message::new(vec![0; Message::MAX_BODY_BYTES + 1]).expect_err("over the limit");
        assert_eq!(error.kind(), QueueErrorKind::TooLarge);
        assert!(error.is_permanent());
    }
}
