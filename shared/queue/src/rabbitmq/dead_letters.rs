//! Dead letters: shown without being taken away, replayed, discarded.
//!
//! AMQP has no way to look at a message but to take it. So they are all taken, unacknowledged, and handed back at the
//! end. Meanwhile another reader misses them; a crash hands them back too.

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::declare::declare;
use super::headers::{self, DEAD_SINCE, QUEUE, REASON};
use super::refusal::failed;
use super::topology;
use crate::error::QueueError;
use crate::message::Message;
use crate::name::{DEAD_LETTERS, QueueName};
use crate::seam::DeadLetter;

/// How many are looked through. Whoever has more has another problem than reading them.
const MOST_READ: usize = 2_000;
/// How much is held in memory for that.
const MOST_READ_BYTES: usize = 128 * 1024 * 1024;

/// All dead letters, lent by the broker until this goes.
pub(super) struct Desk {
    channel: Channel,
    letters: Vec<Lent>,
}

/// A dead letter on the desk.
pub(super) struct Lent {
    pub(super) letter: DeadLetter,
    /// As it lies at the broker, also where it is larger than any message of ours.
    pub(super) body: Vec<u8>,
    dead_since_ms: u64,
    tag: u64,
}

impl Desk {
    /// Takes the letters, the oldest first.
    pub(super) async fn lay_out(channel: Channel) -> Result<Self, QueueError> {
        declare(&channel, &topology::dead_letters()).await?;
        let mut letters = Vec::new();
        let (mut count, mut bytes) = (0, 0);
        while count < MOST_READ && bytes < MOST_READ_BYTES {
            let got = channel.basic_get(DEAD_LETTERS.into(), BasicGetOptions::default()).await;
            let Some(got) = got.map_err(at_desk)? else { break };
            count += 1;
            bytes += got.delivery.data.len();
            letters.extend(read(got.delivery));
        }
        // Handing back changes their order at the broker.
        letters.sort_by_key(|lent: &Lent| lent.dead_since_ms);
        Ok(Self { channel, letters })
    }

    /// The first `limit` letters.
    pub(super) async fn show(self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.hand_back().await?;
        Ok(self.letters.into_iter().take(limit).map(|lent| lent.letter).collect())
    }

    /// The letter with this id.
    pub(super) fn find(&self, id: &str) -> Option<&Lent> {
        self.letters.iter().find(|lent| lent.letter.id == id)
    }

    /// Removes one letter for good.
    pub(super) async fn remove(&self, lent: &Lent) -> Result<(), QueueError> {
        self.channel.basic_ack(lent.tag, BasicAckOptions::default()).await.map_err(at_desk)
    }

    /// Hands all back that are still here.
    pub(super) async fn hand_back(&self) -> Result<(), QueueError> {
        let all = BasicNackOptions { multiple: true, requeue: true };
        self.channel.basic_nack(0, all).await.map_err(at_desk)?;
        // The answer says that the broker has dealt with what came before.
        self.channel.close(200, "read".into()).await.map_err(at_desk)
    }
}

fn at_desk(error: lapin::Error) -> QueueError {
    failed(error, "reading the dead letters")
}

/// What the message tells; `None` where it does not come from any queue of ours.
fn read(delivery: Delivery) -> Option<Lent> {
    let Delivery { properties, data: body, delivery_tag: tag, .. } = delivery;
    let death = Death::of(&properties);
    let written = headers::read_text(&properties, QUEUE).and_then(|text| queue_named(&text));
    let Some(queue) = written.or(death.as_ref().map(|death| death.queue)) else {
        warn!("a dead letter tells no queue of this program; it stays where it is");
        return None;
    };
    let (shown, is_too_large) = match Message::new(body.clone()) {
        Ok(message) => (message, false),
        Err(_) => (Message::new(body[..Message::MAX_BODY_BYTES].to_vec()).ok()?, true),
    };
    let reason = match written.and(headers::read_text(&properties, REASON)) {
        Some(reason) => reason,
        None if is_too_large => {
            format!("the message has {} bytes, which is more than any job has", body.len())
        }
        None => death.as_ref().map_or_else(|| "unknown".to_owned(), |death| death.explanation.clone()),
    };
    let dead_since_ms = headers::read_number(&properties, DEAD_SINCE)
        .or(death.map(|death| death.since_ms))
        .unwrap_or_default();
    let message = shown.with_headers(headers::incoming(&properties));
    let id = identity(queue, &reason, dead_since_ms, &body);
    Some(Lent { letter: DeadLetter { id, queue, reason, message }, body, dead_since_ms, tag })
}

/// A name that depends on nothing but the letter: readers agree on it, and it survives being handed back. Equal
/// letters have equal names, and settling one leaves the other.
fn identity(queue: QueueName, reason: &str, dead_since_ms: u64, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{queue}\n{dead_since_ms}\n{}\n{reason}", reason.len()));
    digest.update(body);
    hex::encode(&digest.finalize()[..8])
}

/// What the broker wrote about a message that it gave up itself.
struct Death {
    queue: QueueName,
    explanation: String,
    since_ms: u64,
}

impl Death {
    /// The last death in a queue of jobs; delays are deaths too.
    fn of(properties: &BasicProperties) -> Option<Self> {
        let AMQPValue::FieldArray(deaths) = properties.headers().as_ref()?.inner().get("x-death")? else {
            return None;
        };
        deaths.as_slice().iter().find_map(|death| {
            let AMQPValue::FieldTable(death) = death else { return None };
            let text = |name: &str| death.inner().get(name).and_then(headers::text_of);
            let queue = queue_named(&text("queue")?)?;
            let since_ms = match death.inner().get("time") {
                Some(AMQPValue::Timestamp(seconds)) => seconds.saturating_mul(1_000),
                _ => 0,
            };
            Some(Self { queue, explanation: explanation(&text("reason")?), since_ms })
        })
    }
}

/// The broker's word for a death, in ours.
fn explanation(reason: &str) -> String {
    match reason {
        "delivery_limit" => format!(
            "delivered {} times without a verdict: its workers die of it or hang",
            topology::DELIVERY_LIMIT + 1
        ),
        other => format!("given up by the broker: {other}"),
    }
}

fn queue_named(text: &str) -> Option<QueueName> {
    QueueName::all().find(|name| name.to_string() == text)
}
