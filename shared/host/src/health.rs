//! Whether a service is alive, and whether it can work: what probes ask.
//!
//! *Alive* means that the loops of its workers go round; an orchestrator restarts what is not. *Ready* means that a job
//! that came now would be worked on; what is missing is said part by part. A service that is not ready may be quite well:
//! it waits for its broker.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use facereel_domain::cause::chain;
use facereel_domain::layout::ObjectKey;
use facereel_domain::pipeline::Stage as StageName;
use facereel_queue::QueueHealth;
use facereel_service::worker::TURN;
use facereel_store::{Store, StoreError, StoreErrorKind};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

/// A loop that was not seen for so long is stuck.
const LONGEST_TURN: Duration = Duration::from_secs(6 * TURN.as_secs());
/// How often the store is asked for.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// How long its answer may take.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// The key that it is asked for.
const PROBED: &str = "readyz";

/// What a service needs to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Models are loaded and warm.
    Models,
    /// The broker is connected and takes messages.
    Broker,
    /// The store answers.
    Store,
    /// Jobs are taken.
    Intake,
}

impl Part {
    /// All parts, in the order in which a service gets them.
    pub(crate) const ALL: [Self; 4] = [Self::Models, Self::Broker, Self::Store, Self::Intake];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Broker => "broker",
            Self::Store => "store",
            Self::Intake => "intake",
        }
    }
}

/// A part's state: there, or why not.
type Standing = Result<(), String>;

/// What is known about the process. Shared by all that know something and all that ask.
#[derive(Debug)]
pub(crate) struct Health {
    parts: Mutex<[Standing; Part::ALL.len()]>,
    /// Once it is connected, it speaks for itself.
    broker: OnceLock<watch::Receiver<QueueHealth>>,
    turns: Mutex<BTreeMap<StageName, Instant>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            parts: Mutex::new(Part::ALL.map(|_| Err("not there yet".to_owned()))),
            broker: OnceLock::new(),
            turns: Mutex::default(),
        }
    }

    /// Notes how `part` stands.
    pub(crate) fn set(&self, part: Part, standing: Standing) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)[part as usize] = standing;
    }

    /// From now on the broker's own word counts.
    pub(crate) fn follow_broker(&self, health: watch::Receiver<QueueHealth>) {
        // There is one broker a process.
        let _ = self.broker.set(health);
    }

    /// How `part` stands now.
    pub(crate) fn standing(&self, part: Part) -> Standing {
        match self.broker.get() {
            Some(health) if part == Part::Broker => {
                let health = health.borrow();
                if health.is_ready() { Ok(()) } else { Err(health.state.to_string()) }
            }
            _ => self.parts.lock().unwrap_or_else(PoisonError::into_inner)[part as usize].clone(),
        }
    }

    /// Notes that the loop of `stage` went round.
    pub(crate) fn turned(&self, stage: StageName) {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(stage, Instant::now());
    }

    /// The answer to "are you ready?", with a line for each part.
    pub(crate) fn readiness(&self) -> Answer {
        let mut answer = Answer::default();
        for part in Part::ALL {
            answer.add(part.as_str(), self.standing(part).map_err(|why| why.replace('\n', " ")));
        }
        answer
    }

    /// The answer to "are you alive?", with a line for each loop; before there are loops it is "yes".
    pub(crate) fn liveness(&self) -> Answer {
        let mut answer = Answer::default();
        for (stage, turn) in &*self.turns.lock().unwrap_or_else(PoisonError::into_inner) {
            let ago = turn.elapsed();
            let turns =
                if ago < LONGEST_TURN { Ok(()) } else { Err(format!("stuck for {} s", ago.as_secs())) };
            answer.add(stage.as_str(), turns);
        }
        answer
    }
}

/// What a probe is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Yes or no.
    pub(crate) is_yes: bool,
    /// Why, a line each.
    pub(crate) text: String,
}

impl Default for Answer {
    fn default() -> Self {
        Self { is_yes: true, text: String::new() }
    }
}

impl Answer {
    fn add(&mut self, name: &str, standing: Standing) {
        self.is_yes &= standing.is_ok();
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "{name}: {}", standing.err().as_deref().unwrap_or("ok"));
    }
}

/// Asks for the store again and again, for ever.
pub(crate) async fn watch_store(store: Arc<dyn Store>, health: Arc<Health>) {
    let mut times = interval(PROBE_EVERY);
    loop {
        times.tick().await;
        let standing = match timeout(PROBE_LIMIT, probe(store.as_ref())).await {
            Ok(probed) => probed.map_err(|error| chain(&error)),
            Err(_) => Err(format!("no answer within {} s", PROBE_LIMIT.as_secs())),
        };
        health.set(Part::Store, standing);
    }
}

/// Whether the store answers; what is asked for need not be there.
pub(crate) async fn probe(store: &dyn Store) -> Result<(), StoreError> {
    let wrong_key = |error| StoreError::new(StoreErrorKind::Invalid, "look for", PROBED).with_source(error);
    let key: ObjectKey = PROBED.parse().map_err(wrong_key)?;
    store.head(&key).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_ready_when_all_its_parts_are() {
        let health = Health::new();
        for part in Part::ALL {
            assert!(!health.readiness().is_yes, "before {part:?}");
            health.set(part, Ok(()));
        }
        let ready =
            Answer { is_yes: true, text: "models: ok\nbroker: ok\nstore: ok\nintake: ok\n".to_owned() };
        assert_eq!(health.readiness(), ready);
    }

    #[test]
    fn what_is_missing_is_said_in_its_line() {
        let health = Health::new();
        for part in Part::ALL {
            health.set(part, Ok(()));
        }
        health.set(Part::Store, Err("connection refused\n(os error 111)".to_owned()));
        let Answer { is_yes, text } = health.readiness();
        assert!(!is_yes);
        assert!(text.contains("\nstore: connection refused (os error 111)\n"), "{text}");
    }

    #[test]
    fn a_loop_that_does_not_go_round_is_no_life() {
        let health = Health::new();
        assert!(health.liveness().is_yes);
        health.turned(StageName::Plan);
        health.turned(StageName::Detect);
        assert!(health.liveness().is_yes);
        let long_ago = Instant::now().checked_sub(LONGEST_TURN).unwrap();
        health.turns.lock().unwrap().insert(StageName::Detect, long_ago);
        let Answer { is_yes, text } = health.liveness();
        assert!(!is_yes);
        assert!(text.starts_with("plan: ok\ndetect: stuck for "), "{text}");
    }
}
