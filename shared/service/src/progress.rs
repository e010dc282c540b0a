//! What stages report while they work. Reports are for people; nothing depends on them.

use std::time::Duration;

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

/// What a job found or what it cost, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Faces detected.
    FacesDetected(u64),
    /// Tracklets found.
    TracksFound(u64),
    /// Vectors made.
    FacesEmbedded(u64),
    /// Time in reading and decoding video.
    Decoding(Duration),
    /// Time in a model.
    Inference {
        /// Which.
        model: ModelRole,
        /// How often it was given something: a frame, at one size or several, or a batch of faces.
        runs: u64,
        /// Time in all of them.
        time: Duration,
    },
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelRole {
    /// Finds faces.
    Detector,
    /// Makes vectors.
    Embedder,
}

/// Takes progress reports. Called often, from any thread: must be quick and never block for long.
pub trait ProgressSink: Send + Sync {
    /// Takes one report.
    fn report(&self, progress: Progress);

    /// Takes what was found or spent.
    fn measure(&self, _measure: Measure) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn report(&self, _: Progress) {}
}
