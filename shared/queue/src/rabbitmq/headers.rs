//! Our headers among those of AMQP.
//!
//! | header | on | meaning |
//! |---|---|---|
//! | `facereel-attempt` | all | which try this is, from 1 |
//! | `facereel-first-seen-ms` | all | when it was first published, milliseconds since 1970 |
//! | `traceparent` | all, if given | W3C trace context |
//! | `facereel-reason` | retries, dead letters | why it failed last |
//! | `facereel-queue`, `facereel-stage` | dead letters | where it comes from |
//! | `facereel-dead-since-ms` | dead letters | when it was given up |
//!
//! Messages that others publish may lack any of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::message::Headers;
use crate::name::QueueName;

const ATTEMPT: &str = "facereel-attempt";
const FIRST_SEEN: &str = "facereel-first-seen-ms";
const TRACE_CONTEXT: &str = "traceparent";
pub(super) const REASON: &str = "facereel-reason";
pub(super) const QUEUE: &str = "facereel-queue";
const STAGE: &str = "facereel-stage";
pub(super) const DEAD_SINCE: &str = "facereel-dead-since-ms";

/// AMQP wants all headers of a message in one frame.
const LONGEST_REASON_BYTES: usize = 16 * 1024;
/// Persistent: the broker writes it down before it confirms.
const PERSISTENT: u8 = 2;
/// AMQP keeps a message's time to live in 32 bits.
const LONGEST_DELAY_MS: u128 = u32::MAX as u128;

/// Headers on their way out.
pub(super) struct Outgoing(FieldTable);

impl Outgoing {
    /// Headers of a job.
    pub(super) fn of(headers: &Headers) -> Self {
        let mut table = FieldTable::default();
        table.insert(ATTEMPT.into(), AMQPValue::LongLongInt(headers.attempt.into()));
        if let Some(first_seen) = headers.first_seen_unix_ms {
            table.insert(FIRST_SEEN.into(), number(first_seen));
        }
        if let Some(trace_context) = &headers.trace_context {
            table.insert(TRACE_CONTEXT.into(), text(trace_context));
        }
        Self(table)
    }

    /// The same with the reason of the failure.
    pub(super) fn because(mut self, reason: &str) -> Self {
        let end = reason.floor_char_boundary(LONGEST_REASON_BYTES);
        self.0.insert(REASON.into(), text(&reason[..end]));
        self
    }

    /// The same for a message of `queue` that is given up now.
    pub(super) fn given_up(mut self, queue: QueueName) -> Self {
        self.0.insert(QUEUE.into(), text(&queue.to_string()));
        self.0.insert(STAGE.into(), text(queue.stage.as_str()));
        self.0.insert(DEAD_SINCE.into(), number(unix_ms()));
        self
    }

    /// The properties of a message that is kept until somebody takes it.
    pub(super) fn kept(self) -> BasicProperties {
        BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(self.0)
    }

    /// The properties of a message that expires after `delay`.
    pub(super) fn expiring(self, delay: Duration) -> BasicProperties {
        let ms = delay.as_nanos().div_ceil(1_000_000).min(LONGEST_DELAY_MS);
        self.kept().with_expiration(ms.to_string().into())
    }
}

/// The headers that came with a message; what is absent or of another type is as in a first message.
pub(super) fn incoming(properties: &BasicProperties) -> Headers {
    let attempt = read_number(properties, ATTEMPT).and_then(|n| u32::try_from(n).ok());
    Headers {
        attempt: attempt.filter(|n| *n > 0).unwrap_or(1),
        first_seen_unix_ms: read_number(properties, FIRST_SEEN),
        trace_context: read_text(properties, TRACE_CONTEXT),
    }
}

/// The text in header `name`.
pub(super) fn read_text(properties: &BasicProperties, name: &str) -> Option<String> {
    properties.headers().as_ref()?.inner().get(name).and_then(text_of)
}

/// The number in header `name`, of whatever width.
pub(super) fn read_number(properties: &BasicProperties, name: &str) -> Option<u64> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongLongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongInt(n) => u64::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some((*n).into()),
        AMQPValue::ShortInt(n) => u64::try_from(*n).ok(),
        AMQPValue::ShortUInt(n) => Some((*n).into()),
        _ => None,
    }
}

/// The text that `value` is.
pub(super) fn text_of(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

/// Milliseconds since 1970; 0 on a clock before that.
pub(super) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

fn number(value: u64) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(value).unwrap_or(i64::MAX))
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_as_they_went_out() {
        let sent =
            Headers { attempt: 3, first_seen_unix_ms: Some(17), trace_context: Some("00-4b-00-01".into()) };
        assert_eq!(incoming(&Outgoing::of(&sent).kept()), sent);
    }

    #[test]
    fn a_message_without_headers_is_a_first_attempt() {
        assert_eq!(incoming(&BasicProperties::default()), Headers::default());
    }

    #[test]
    fn delays_are_rounded_up_to_milliseconds_and_fit_the_field() {
        let expiration = |delay| {
            Outgoing::of(&Headers::default())
                .expiring(delay)
                .expiration()
                .as_ref()
                .map(|e| e.as_str().to_owned())
        };
        assert_eq!(expiration(Duration::from_nanos(1)).as_deref(), Some("1"));
        assert_eq!(expiration(Duration::MAX).as_deref(), Some("4294967295"));
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let properties = Outgoing::of(&Headers::default()).because(&"é".repeat(20_000)).kept();
        assert_eq!(read_text(&properties, REASON).map(|r| r.len()), Some(LONGEST_REASON_BYTES));
    }
}
