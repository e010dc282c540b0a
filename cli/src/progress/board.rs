//! What the stages have reported so far.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use facereel_domain::pipeline::Stage;
use facereel_service::{Progress, ProgressSink};
use serde::Serialize;

use super::meter;

/// Takes the stages' reports.
pub(crate) struct Board {
    tallies: Mutex<[Tally; Stage::ALL.len()]>,
}

/// What one stage has reported.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    parts: Option<u64>,
    parts_done: u64,
    units: u64,
    units_done: u64,
    units_found: u64,
    began: Option<Instant>,
    ended: Option<Instant>,
}

/// How far a run is.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// All stages in the order of the flow.
    pub(crate) stages: Vec<StageView>,
    /// The video, once it is planned.
    pub(crate) video: Option<Video>,
}

/// What progress needs to know of the video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Video {
    /// Frames a second.
    pub(crate) fps: f64,
    /// Seconds.
    pub(crate) duration_sec: f64,
}

/// How far a stage is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StageView {
    /// The stage.
    pub(crate) stage: Stage,
    /// Jobs done, now or in an earlier attempt.
    pub(crate) parts_done: u64,
    /// Jobs in all; absent until it is known.
    pub(crate) parts: Option<u64>,
    /// Units done, now or in an earlier attempt.
    pub(crate) units_done: u64,
    /// Units in all.
    pub(crate) units: u64,
    /// What a unit is.
    pub(crate) unit: &'static str,
    /// Seconds since it began, until it ended.
    pub(crate) elapsed_sec: f64,
    /// Units a second.
    pub(crate) rate: Option<f64>,
    /// Seconds left.
    pub(crate) eta_sec: Option<f64>,
    /// Whether all of it is done.
    pub(crate) is_done: bool,
    /// Whether it has begun.
    pub(crate) has_begun: bool,
}

impl Board {
    /// A board on which nothing was reported yet. How many jobs there are is known for the stages that have one.
    pub(crate) fn new() -> Self {
        let tally = |stage| {
            let single = matches!(stage, Stage::Plan | Stage::Track | Stage::Export);
            let began = (stage == Stage::Plan).then(Instant::now);
            Tally { parts: single.then_some(1), began, ..Tally::default() }
        };
        Self { tallies: Mutex::new(Stage::ALL.map(tally)) }
    }

    /// How far it has come.
    pub(crate) fn snapshot(&self, video: Option<Video>) -> Snapshot {
        let now = Instant::now();
        let tallies = *self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = Stage::ALL.into_iter().zip(tallies).map(|(stage, tally)| tally.view(stage, now));
        Snapshot { stages: stages.collect(), video }
    }
}

impl ProgressSink for Board {
    fn report(&self, progress: Progress) {
        let now = Instant::now();
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let (Progress::Expected { stage, .. }
        | Progress::Advanced { stage, .. }
        | Progress::PartDone { stage }
        | Progress::PartFound { stage, .. }) = progress;
        tallies[place(stage)].take(progress, now);
        // With the last detection part the tracker begins; it reports only its end.
        if stage == Stage::Detect && tallies[place(stage)].is_done() {
            tallies[place(Stage::Track)].began.get_or_insert(now);
        }
    }
}

fn place(stage: Stage) -> usize {
    stage as usize
}

impl Tally {
    fn take(&mut self, progress: Progress, now: Instant) {
        self.began.get_or_insert(now);
        match progress {
            Progress::Expected { parts, units, .. } => (self.parts, self.units) = (Some(parts), units),
            Progress::Advanced { units, .. } => self.units_done += units,
            Progress::PartDone { .. } => self.parts_done += 1,
            Progress::PartFound { units, .. } => {
                self.parts_done += 1;
                self.units_found += units;
            }
        }
        if self.is_done() {
            self.ended.get_or_insert(now);
        }
    }

    fn is_done(&self) -> bool {
        self.parts.is_some_and(|parts| self.parts_done >= parts)
    }

    fn view(&self, stage: Stage, now: Instant) -> StageView {
        let elapsed = self.began.map(|began| self.ended.unwrap_or(now).saturating_duration_since(began));
        let elapsed_sec = elapsed.unwrap_or_default().as_secs_f64();
        let units_done = self.units_done + self.units_found;
        let is_done = self.is_done();
        // What was found there took no time, and says nothing about the speed.
        let rate = meter::rate(self.units_done, elapsed_sec);
        let eta = meter::eta_sec(self.units.saturating_sub(units_done), rate);
        StageView {
            stage,
            parts_done: self.parts_done.min(self.parts.unwrap_or(u64::MAX)),
            parts: self.parts,
            units_done: if self.units > 0 { units_done.min(self.units) } else { units_done },
            units: self.units,
            unit: unit(stage),
            elapsed_sec,
            rate,
            eta_sec: if is_done { Some(0.0) } else { eta.filter(|_| self.units > 0) },
            is_done,
            has_begun: self.began.is_some(),
        }
    }
}

fn unit(stage: Stage) -> &'static str {
    match stage {
        Stage::Plan => "plans",
        Stage::Detect => "frames",
        Stage::Track => "episodes",
        Stage::Embed => "batches",
        Stage::Export => "crops",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(board: &Board) -> StageView {
        board.snapshot(None).stages.swap_remove(1)
    }

    #[test]
    fn parts_of_an_earlier_attempt_count_as_done_but_not_as_speed() {
        let board = Board::new();
        let stage = Stage::Detect;
        board.report(Progress::Expected { stage, parts: 2, units: 100 });
        board.report(Progress::PartFound { stage, units: 50 });
        let view = detect(&board);
        assert_eq!((view.parts_done, view.units_done, view.rate), (1, 50, None));
        board.report(Progress::Advanced { stage, units: 50 });
        assert!(!detect(&board).is_done);
        board.report(Progress::PartDone { stage });
        let view = detect(&board);
        assert!(view.is_done && view.eta_sec == Some(0.0));
    }

    #[test]
    fn a_stage_with_nothing_to_do_is_done() {
        let board = Board::new();
        board.report(Progress::Expected { stage: Stage::Embed, parts: 0, units: 0 });
        assert!(board.snapshot(None).stages[3].is_done);
    }

    #[test]
    fn repeats_never_show_more_than_everything() {
        let board = Board::new();
        let stage = Stage::Detect;
        board.report(Progress::Expected { stage, parts: 1, units: 10 });
        board.report(Progress::Advanced { stage, units: 16 });
        board.report(Progress::PartDone { stage });
        board.report(Progress::PartDone { stage });
        let view = detect(&board);
        assert_eq!((view.parts_done, view.units_done), (1, 10));
    }
}
