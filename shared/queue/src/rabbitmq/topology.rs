//! What exists at the broker, as data: every queue with its arguments, spelled here alone.
//!
//! There are no exchanges of our own. Jobs go to their queue through the default exchange; so do messages that the
//! broker itself moves. Every process declares what it uses, the same way; a broker that holds something else under
//! the same name refuses, because arguments can't be changed later.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::name::{DEAD_LETTERS, QueueName};

/// How often a message is delivered again without any verdict before the broker takes it for one that kills its
/// workers. Handing work back counts too on brokers before 4.3: high enough for many restarts of a fleet.
pub const DELIVERY_LIMIT: i64 = 10;

/// Letters are read by taking them and handing them back, which counts as a delivery: never a reason to drop one.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// The value of a queue's argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A queue as the broker is asked for it; all are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// Its arguments by name.
    pub arguments: BTreeMap<&'static str, Argument>,
}

/// Classes of delay. A retry waits in the queue of its class with its own exact delay. Messages of one queue expire
/// one after the other, so a short delay may wait behind a longer one; never one of another class. A retry comes at
/// most eight times too late, and never too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DelayClass {
    /// Up to a second.
    Second,
    /// Up to eight seconds.
    Seconds,
    /// Up to 64 seconds.
    Minute,
    /// Anything longer.
    Long,
}

impl DelayClass {
    /// All classes, the shortest first.
    pub const ALL: [Self; 4] = [Self::Second, Self::Seconds, Self::Minute, Self::Long];

    /// The class of `delay`.
    #[must_use]
    pub fn of(delay: Duration) -> Self {
        match delay.as_millis() {
            0..=1_000 => Self::Second,
            1_001..=8_000 => Self::Seconds,
            8_001..=64_000 => Self::Minute,
            _ => Self::Long,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Second => "1s",
            Self::Seconds => "8s",
            Self::Minute => "64s",
            Self::Long => "long",
        }
    }
}

/// The queue that workers consume.
#[must_use]
pub fn jobs(name: QueueName) -> QueueSpec {
    let mut spec = quorum(name.to_string(), DELIVERY_LIMIT);
    spec.dead_letter_to(DEAD_LETTERS.to_owned());
    spec
}

/// The queue in which retries of `name` wait; nobody consumes it, messages leave it when they expire.
#[must_use]
pub fn delay(name: QueueName, class: DelayClass) -> QueueSpec {
    let mut spec = quorum(format!("{name}.delay.{}", class.suffix()), DELIVERY_LIMIT);
    spec.dead_letter_to(name.to_string());
    spec
}

/// The queue of dead letters.
#[must_use]
pub fn dead_letters() -> QueueSpec {
    quorum(DEAD_LETTERS.to_owned(), NO_DELIVERY_LIMIT)
}

/// The whole topology: what a definitions file lists.
pub fn all() -> impl Iterator<Item = QueueSpec> {
    let of_jobs = QueueName::all().flat_map(|name| {
        std::iter::once(jobs(name)).chain(DelayClass::ALL.into_iter().map(move |class| delay(name, class)))
    });
    of_jobs.chain(std::iter::once(dead_letters()))
}

fn quorum(name: String, delivery_limit: i64) -> QueueSpec {
    let arguments = BTreeMap::from([
        ("x-queue-type", Argument::Text("quorum".to_owned())),
        ("x-delivery-limit", Argument::Number(delivery_limit)),
    ]);
    QueueSpec { name, arguments }
}

impl QueueSpec {
    /// The broker moves messages there itself, and keeps each until the other queue has it (`at-least-once`, which
    /// asks for `reject-publish`).
    fn dead_letter_to(&mut self, target: String) {
        self.arguments.extend([
            ("x-dead-letter-exchange", Argument::Text(String::new())),
            ("x-dead-letter-routing-key", Argument::Text(target)),
            ("x-dead-letter-strategy", Argument::Text("at-least-once".to_owned())),
            ("x-overflow", Argument::Text("reject-publish".to_owned())),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_but_the_dead_letters_leads_to_a_queue_that_exists() {
        let all: Vec<_> = all().collect();
        assert_eq!(all.len(), 10 * 5 + 1);
        for spec in &all {
            let target = spec.arguments.get("x-dead-letter-routing-key");
            let exists = |t: &Argument| all.iter().any(|s| Argument::Text(s.name.clone()) == *t);
            assert_eq!(target.is_some_and(exists), spec.name != DEAD_LETTERS, "{}", spec.name);
        }
    }

    #[test]
    fn a_delay_waits_among_delays_of_its_own_size() {
        let classes = [0, 1_000, 1_001, 8_000, 64_000, 64_001, 3_600_000]
            .map(|ms| DelayClass::of(Duration::from_millis(ms)));
        let [second, seconds, minute, long] = DelayClass::ALL;
        assert_eq!(classes, [second, second, seconds, seconds, minute, long, long]);
    }
}
