//! Progress as plain lines, for logs and pipes.

use std::time::{Duration, Instant};

use facereel_domain::pipeline::Stage;

use super::meter::clock;
use super::{Intro, Presenter, Snapshot, StageView, Video};
use crate::console;
use crate::embedded::RunSummary;

/// Time between two lines of one stage.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// A line every few seconds while a stage works, and one when it is done.
pub(super) struct Lines {
    every: Duration,
    last: Option<Instant>,
    done: Vec<Stage>,
}

impl Lines {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, last: None, done: Vec::new() }
    }
}

impl Presenter for Lines {
    fn started(&mut self, intro: &Intro) {
        console::err(intro_line(intro));
        self.last = Some(Instant::now());
    }

    fn update(&mut self, snapshot: &Snapshot) {
        for view in snapshot.stages.iter().filter(|view| view.has_begun && view.is_done) {
            if !self.done.contains(&view.stage) {
                self.done.push(view.stage);
                console::err(stage_line(view, snapshot.video));
            }
        }
        if self.last.is_some_and(|last| last.elapsed() < self.every) {
            return;
        }
        self.last = Some(Instant::now());
        for view in snapshot.stages.iter().filter(|view| view.has_begun && !view.is_done) {
            console::err(stage_line(view, snapshot.video));
        }
    }

    fn finished(&mut self, summary: &RunSummary) {
        console::err(summary.text());
    }

    fn failed(&mut self, _: &str, _: u8) {}
}

/// What is about to be done, in a line.
pub(super) fn intro_line(intro: &Intro) -> String {
    let Intro { run, video, store, threads, continues } = intro;
    let how = if *continues { "continues" } else { "starts" };
    format!(
        "{} run {} {how}: {video} -> {store}, {threads} {}",
        run.ep_id,
        run.run_id,
        if *threads == 1 { "thread" } else { "threads" }
    )
}

/// A stage in a line, `12.5x` being how much faster than the video plays:
/// `detect  1200/2400 frames 50 %  300 frames/s  12.5x  left 0:04`.
fn stage_line(view: &StageView, video: Option<Video>) -> String {
    format!("{:<7} {}", view.stage.as_str(), stage_figures(view, video))
}

/// The same without the stage's name.
pub(super) fn stage_figures(view: &StageView, video: Option<Video>) -> String {
    let mut figures = match (view.units, view.parts) {
        (0, Some(0)) => return "nothing to do".to_owned(),
        (0, Some(1)) if view.is_done => vec!["done".to_owned()],
        (0, Some(1)) if view.has_begun => vec!["working".to_owned()],
        (0, _) => return "waiting".to_owned(),
        (units, _) => {
            let percent = 100 * view.units_done / units;
            vec![format!("{}/{units} {} {percent} %", view.units_done, view.unit)]
        }
    };
    figures.extend(view.rate.map(|rate| format!("{rate:.0} {}/s", view.unit)));
    if let (Stage::Detect, Some(rate), Some(video)) = (view.stage, view.rate, video) {
        figures.push(format!("{:.1}x", rate / video.fps));
    }
    figures.extend(match view.eta_sec {
        _ if view.is_done => Some(format!("took {}", clock(view.elapsed_sec))),
        eta => eta.map(|eta| format!("left {}", clock(eta))),
    });
    figures.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> StageView {
        StageView {
            stage: Stage::Detect,
            parts_done: 1,
            parts: Some(2),
            units_done: 1200,
            units: 2400,
            unit: "frames",
            elapsed_sec: 4.0,
            rate: Some(300.0),
            eta_sec: Some(4.0),
            is_done: false,
            has_begun: true,
        }
    }

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long() {
        let video = Video { fps: 24.0, duration_sec: 100.0 };
        assert_eq!(
            stage_line(&view(), Some(video)),
            "detect  1200/2400 frames 50 %  300 frames/s  12.5x  left 0:04"
        );
    }

    #[test]
    fn a_stage_without_work_says_so() {
        let nothing = StageView { units: 0, parts: Some(0), ..view() };
        assert_eq!(stage_figures(&nothing, None), "nothing to do");
        let later = StageView { units: 0, parts: None, has_begun: false, ..view() };
        assert_eq!(stage_figures(&later, None), "waiting");
    }
}
