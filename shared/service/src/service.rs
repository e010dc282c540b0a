//! What a service is: stages that are made ready from settings and handed to workers.
//!
//! A process of its own and the embedded program make the same stages the same way; they differ in the workers.

use std::error::Error;

use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::Settings;

use crate::assignment::Assignment;
use crate::stage::Stage;

/// The stages that run in one process on a cluster.
pub trait Service: Sized + Send + 'static {
    /// Its name, as of its binary.
    const NAME: &'static str;
    /// Its stages.
    const STAGES: &'static [StageName];
    /// Where it serves health and metrics on loopback unless told otherwise.
    const PORT: u16;

    /// Makes everything ready for the assigned stages that takes time, so that the first job does not wait: models above
    /// all, one for each of `threads`. Blocks.
    fn prepare(settings: &Settings, assigned: &Assignment, threads: usize) -> Result<Self, PrepareError>;

    /// Puts the stages that it was made ready for to work.
    fn staff(self, team: &mut impl Team);
}

/// Takes stages and gives each its workers.
pub trait Team {
    /// Starts a worker for `stage`.
    fn hire<S: Stage>(&mut self, stage: S, slots: Slots);
}

/// How many jobs of a stage run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slots {
    /// One: the job is cheap, or waits for storage most of the time.
    One,
    /// One more than there are compute threads: while one reads or writes objects, another computes.
    PerThread,
}

impl Slots {
    /// The number, with `threads` compute threads.
    #[must_use]
    pub fn count(self, threads: usize) -> usize {
        match self {
            Self::One => 1,
            Self::PerThread => threads + 1,
        }
    }
}

/// Why a service can't be made ready. Trying again does not help.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A setting is wrong.
    #[error("the settings can't be used")]
    Settings(#[source] Box<dyn Error + Send + Sync>),
    /// Models or a library are missing or damaged.
    #[error("the models can't be used")]
    Models(#[source] Box<dyn Error + Send + Sync>),
}
