//! Names of queues, spelled here alone.

use std::fmt;

use facereel_domain::pipeline::{Lane, Stage};

/// Where every message ends that no retry can help.
pub const DEAD_LETTERS: &str = "facereel.dead";

/// The queue of a stage and lane; as text `facereel.detect.interactive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName {
    /// Whose jobs.
    pub stage: Stage,
    /// How urgent.
    pub lane: Lane,
}

impl QueueName {
    /// The queue of `stage` for `lane`.
    #[must_use]
    pub fn new(stage: Stage, lane: Lane) -> Self {
        Self { stage, lane }
    }

    /// The queues of `stage`, the most urgent first: what a worker of the stage consumes.
    #[must_use]
    pub fn lanes_of(stage: Stage) -> [Self; 2] {
        Lane::ALL.map(|lane| Self { stage, lane })
    }

    /// All queues, in the order of the flow, the most urgent lane first.
    pub fn all() -> impl Iterator<Item = Self> {
        Stage::ALL.into_iter().flat_map(Self::lanes_of)
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "facereel.{}.{}", self.stage, self.lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documented_topology() {
        let names: Vec<_> = QueueName::all().map(|name| name.to_string()).collect();
        assert_eq!(names.len(), 10);
        assert_eq!(names[..2], ["facereel.plan.interactive", "facereel.plan.backfill"]);
        assert!(!names.contains(&DEAD_LETTERS.to_owned()));
    }
}
