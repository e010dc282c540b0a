//! `progress.json`: where a run is, for whoever looks into its folder.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Snapshot, StageView};

/// The content of `progress.json`, and of a progress event.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Document {
    schema_version: u32,
    /// The stage that works, or `done`, or `stopped`.
    phase: &'static str,
    parts_done: u64,
    parts: Option<u64>,
    units_done: u64,
    units: u64,
    unit: &'static str,
    rate: Option<f64>,
    /// How much faster than the video's own time frames are worked on.
    realtime_factor: Option<f64>,
    /// Seconds until the phase is done.
    eta_sec: Option<f64>,
    /// When this was written, seconds since 1970.
    updated_unix_sec: u64,
    stages: Vec<StageView>,
}

impl Document {
    /// The same of a run that somebody stopped: nothing is under way, so nobody knows when it will be done.
    pub(crate) fn stopped(mut self) -> Self {
        self.phase = "stopped";
        self.eta_sec = None;
        for stage in self.stages.iter_mut().filter(|stage| !stage.is_done) {
            stage.eta_sec = None;
        }
        self
    }
}

/// What a snapshot says.
pub(crate) fn document(snapshot: &Snapshot) -> Document {
    let stages = snapshot.stages.iter().map(rounded).collect::<Vec<_>>();
    let working = stages.iter().find(|view| !view.is_done);
    let detect = &stages[1];
    let realtime = detect.rate.zip(snapshot.video).map(|(rate, video)| hundredths(rate / video.fps));
    let shown = working.or(stages.last()).unwrap_or(detect);
    Document {
        schema_version: 1,
        phase: working.map_or("done", |view| view.stage.as_str()),
        parts_done: shown.parts_done,
        parts: shown.parts,
        units_done: shown.units_done,
        units: shown.units,
        unit: shown.unit,
        rate: shown.rate,
        realtime_factor: realtime,
        eta_sec: shown.eta_sec,
        updated_unix_sec: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        stages: stages.clone(),
    }
}

fn rounded(view: &StageView) -> StageView {
    StageView {
        elapsed_sec: hundredths(view.elapsed_sec),
        rate: view.rate.map(hundredths),
        eta_sec: view.eta_sec.map(hundredths),
        ..view.clone()
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Board;
    use facereel_domain::pipeline::Stage;
    use facereel_service::{Progress, ProgressSink};

    #[test]
    fn the_phase_is_the_first_stage_that_is_not_done() {
        let board = Board::new();
        assert_eq!(document(&board.snapshot(None)).phase, "plan");
        board.report(Progress::PartDone { stage: Stage::Plan });
        board.report(Progress::Expected { stage: Stage::Detect, parts: 1, units: 10 });
        assert_eq!(document(&board.snapshot(None)).phase, "detect");
        for stage in [Stage::Detect, Stage::Track, Stage::Export] {
            board.report(Progress::PartDone { stage });
        }
        board.report(Progress::Expected { stage: Stage::Embed, parts: 0, units: 0 });
        assert_eq!(document(&board.snapshot(None)).phase, "done");
    }

    #[test]
    fn a_stopped_run_promises_no_end() {
        let mut snapshot = Board::new().snapshot(None);
        snapshot.stages[0].eta_sec = Some(3.0);
        let stopped = document(&snapshot).stopped();
        assert_eq!((stopped.phase, stopped.eta_sec), ("stopped", None));
        assert!(stopped.stages.iter().all(|stage| stage.eta_sec.is_none()));
    }
}
