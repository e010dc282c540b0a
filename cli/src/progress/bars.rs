//! Progress as bars, one a stage, for people at a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::lines::{intro_line, stage_figures};
use super::{Intro, Presenter, Snapshot, StageView};
use crate::console;
use crate::embedded::RunSummary;

/// Steps of a bar.
const STEPS: u64 = 1000;

/// A bar for each stage.
pub(super) struct Bars {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    pub(super) fn new(all: &MultiProgress) -> Self {
        Self { all: all.clone(), bars: Vec::new() }
    }

    fn clear(&mut self) {
        for bar in self.bars.drain(..) {
            bar.abandon();
        }
    }
}

impl Presenter for Bars {
    fn started(&mut self, intro: &Intro) {
        console::err(intro_line(intro));
    }

    fn update(&mut self, snapshot: &Snapshot) {
        if self.bars.is_empty() {
            let all = &self.all;
            self.bars = snapshot.stages.iter().map(|view| all.add(bar(view))).collect();
        }
        for (bar, view) in self.bars.iter().zip(&snapshot.stages) {
            bar.set_position(share(view));
            bar.set_message(stage_figures(view, snapshot.video));
        }
    }

    fn finished(&mut self, summary: &RunSummary) {
        self.clear();
        console::err(summary.text());
    }

    fn failed(&mut self, _: &str, _: u8) {
        let were_drawn = !self.bars.is_empty();
        self.clear();
        if were_drawn {
            // The cursor stays at the end of the last bar, and what follows begins on a line of its own.
            console::err("");
        }
    }
}

fn bar(view: &StageView) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:<7} [{bar:12}] {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(STEPS).with_style(style).with_prefix(view.stage.as_str())
}

/// How much of the stage is done, in steps.
fn share(view: &StageView) -> u64 {
    match (view.is_done, view.units) {
        (true, _) => STEPS,
        (false, 0) => 0,
        (false, units) => STEPS * view.units_done / units,
    }
}
