//! What stages report while they work. Reports are for people; nothing depends on them.

use facereel_domain::pipeline::Stage;

/// A step forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is known how much a stage has to do: `parts` jobs with `units` of work in all (frames, faces, crops).
    Expected {
        /// The stage.
        stage: Stage,
        /// Jobs.
        parts: u64,
        /// Units of work in them.
        units: u64,
    },
    /// Units of work were done.
    Advanced {
        /// The stage.
        stage: Stage,
        /// Units since the last report.
        units: u64,
    },
    /// A job's work is in the store.
    PartDone {
        /// The stage.
        stage: Stage,
    },
    /// A job's work was in the store already; its units will not be reported.
    PartFound {
        /// The stage.
        stage: Stage,
        /// Units that it had taken.
        units: u64,
    },
}

/// Takes progress reports. Called often, from any thread: must be quick and never block for long.
pub trait ProgressSink: Send + Sync {
    /// Takes one report.
    fn report(&self, progress: Progress);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn report(&self, _: Progress) {}
}
