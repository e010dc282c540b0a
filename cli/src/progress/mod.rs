//! How far a run is: the board that stages report to, and the ways it is shown.
//!
//! Stages report into the [`Board`] from any thread; the runner takes a [`Snapshot`] now and then and hands it to a
//! [`Presenter`] and to `progress.json`. Nothing of the run depends on any of it.

mod bars;
mod board;
mod file;
mod json;
mod lines;
mod meter;

use facereel_domain::ids::RunRef;
use indicatif::MultiProgress;
use serde::Serialize;

pub(crate) use board::{Board, Snapshot, StageView, Video};
pub(crate) use file::{Document, document};
pub(crate) use meter::clock;

use crate::embedded::RunSummary;

/// Shows a run to whoever watches.
pub(crate) trait Presenter {
    /// The run begins.
    fn started(&mut self, intro: &Intro);

    /// So far has it come; called a few times a second.
    fn update(&mut self, snapshot: &Snapshot);

    /// The run is complete.
    fn finished(&mut self, summary: &RunSummary);

    /// The run ended otherwise; the message itself is shown by `main`.
    fn failed(&mut self, reason: &str, exit_code: u8);
}

/// What is about to be done.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Intro {
    /// Episode and run.
    #[serde(flatten)]
    pub(crate) run: RunRef,
    /// The video as named.
    pub(crate) video: String,
    /// The store.
    pub(crate) store: String,
    /// Compute threads.
    pub(crate) threads: usize,
    /// Whether parts of an earlier attempt are there.
    pub(crate) continues: bool,
}

/// How to show a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A bar for each stage, on a terminal.
    Bars,
    /// A line now and then.
    Lines,
    /// One JSON object a line on standard output.
    Json,
    /// Nothing but errors.
    Silent,
}

impl Style {
    /// The presenter of this style; bars are drawn with `bars`.
    pub(crate) fn presenter(self, bars: &MultiProgress) -> Box<dyn Presenter> {
        match self {
            Self::Bars => Box::new(bars::Bars::new(bars)),
            Self::Lines => Box::new(lines::Lines::new(lines::EVERY)),
            Self::Json => Box::new(json::Json::default()),
            Self::Silent => Box::new(Silent),
        }
    }
}

struct Silent;

impl Presenter for Silent {
    fn started(&mut self, _: &Intro) {}
    fn update(&mut self, _: &Snapshot) {}
    fn finished(&mut self, _: &RunSummary) {}
    fn failed(&mut self, _: &str, _: u8) {}
}
