//! What a backfill says: a plan, what went wrong, and a line of progress.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use facereel_domain::ids::RunRef;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use crate::console;
use crate::operator::{Event, Forecast, Refused, Standing, Tally};
use crate::progress::clock;

/// Time between two lines of progress where they are not drawn over each other.
const EVERY: Duration = Duration::from_secs(10);

/// Tells of a backfill, to people or to programs.
pub(super) struct Teller {
    style: Style,
    last: Option<Instant>,
    /// What was last told of a server that does not answer.
    trouble: Option<String>,
}

enum Style {
    /// One JSON object a line.
    Json,
    /// A line that is drawn over and over.
    Line(ProgressBar),
    /// A line now and then.
    Lines,
}

impl Teller {
    /// One JSON object a line on standard output.
    pub(super) fn for_programs() -> Self {
        Self { style: Style::Json, last: None, trouble: None }
    }

    /// Lines on standard error.
    pub(super) fn for_people(bars: &MultiProgress) -> Self {
        let style = match ProgressStyle::with_template("{msg}") {
            Ok(plain) if stderr().is_terminal() => {
                Style::Line(bars.add(ProgressBar::new_spinner().with_style(plain)))
            }
            _ => Style::Lines,
        };
        Self { style, last: None, trouble: None }
    }

    /// The plan, and the videos that are no part of it.
    pub(super) fn plan(&self, forecast: &Forecast, refused: &[Refused]) {
        if let Style::Json = self.style {
            event("plan", forecast);
            for refused in refused {
                event("unreadable", refused);
            }
            return;
        }
        for refused in refused {
            console::err(format!("left out {}: {}", refused.video, refused.reason));
        }
        console::err(forecast.text());
    }

    /// An event.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        match self.style {
            Style::Json => tell_json(event),
            _ => self.tell_text(event),
        }
    }

    fn tell_text(&mut self, event: &Event<'_>) {
        match event {
            Event::Submitted(_) | Event::Ended(_, Standing::Done) => {}
            Event::Ended(run, Standing::Failed(failure)) => {
                self.line(&format!("failed   {}: {}: {}", run.ep_id, failure.stage, failure.reason));
            }
            Event::Ended(run, standing) => self.line(&format!("{} {}", standing.word(), run.ep_id)),
            Event::Trouble(error) => {
                let text = format!("trouble  {error:#}; tried again until it works, Ctrl-C stops");
                // The same again says nothing new.
                if self.trouble.as_ref() != Some(&text) {
                    self.line(&text);
                    self.trouble = Some(text);
                }
            }
            Event::Progress(tally) => self.progress(tally),
        }
    }

    fn progress(&mut self, tally: &Tally) {
        if let Style::Line(line) = &self.style {
            line.set_message(progress_line(tally));
        } else if self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            console::err(progress_line(tally));
        }
    }

    fn line(&self, text: &str) {
        match &self.style {
            Style::Line(line) => line.suspend(|| console::err(text)),
            _ => console::err(text),
        }
    }

    /// The end, or that somebody stopped it.
    pub(super) fn end(&self, tally: &Tally, is_over: bool) {
        match &self.style {
            Style::Json => return event(if is_over { "finished" } else { "stopped" }, tally),
            Style::Line(line) => line.finish_and_clear(),
            Style::Lines => {}
        }
        console::err(progress_line(tally));
        if !is_over {
            console::err(format!(
                "stopped: {} under way go on, {} are not handed over yet; the same command continues",
                tally.in_flight, tally.waiting
            ));
        }
    }
}

/// `12/200 done, 1 failed, 8 under way, 179 waiting  96/h  left 1:52:00`.
fn progress_line(tally: &Tally) -> String {
    let mut counts = vec![format!("{}/{} done", tally.done, tally.runs)];
    for (count, word) in [
        (tally.failed, "failed"),
        (tally.cancelled, "cancelled"),
        (tally.in_flight, "under way"),
        (tally.waiting, "waiting"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    let eta_sec = tally.eta_sec.filter(|_| tally.in_flight + tally.waiting > 0);
    let held_back = "(held back: the detect queue is above queue.high_water)";
    let mut figures = vec![counts.join(", ")];
    figures.extend(tally.episodes_per_hour.map(|rate| format!("{rate:.0}/h")));
    figures.extend(eta_sec.map(|eta| format!("left {}", clock(eta))));
    figures.extend(tally.is_held_back.then(|| held_back.to_owned()));
    figures.join("  ")
}

fn tell_json(told: &Event<'_>) {
    match told {
        Event::Submitted(run) => event("submitted", run),
        Event::Ended(run, standing) => event("ended", &Ended { run, standing }),
        Event::Trouble(error) => event("trouble", &json!({ "reason": format!("{error:#}") })),
        Event::Progress(tally) => event("progress", tally),
    }
}

#[derive(Serialize)]
struct Ended<'a> {
    #[serde(flatten)]
    run: &'a RunRef,
    #[serde(flatten)]
    standing: &'a Standing,
}

fn event(name: &str, body: &impl Serialize) {
    if let Ok(Value::Object(mut fields)) = serde_json::to_value(body) {
        fields.shift_insert(0, "event".to_owned(), name.into());
        console::out(Value::Object(fields).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_many_how_fast_and_how_long() {
        let tally = Tally {
            runs: 200,
            done: 12,
            failed: 1,
            in_flight: 8,
            waiting: 179,
            episodes_per_hour: Some(96.0),
            eta_sec: Some(6720.0),
            ..Tally::default()
        };
        let line = "12/200 done, 1 failed, 8 under way, 179 waiting  96/h  left 1:52:00";
        assert_eq!(progress_line(&tally), line);
        let held_back = Tally { is_held_back: true, ..tally };
        assert!(progress_line(&held_back).contains("queue.high_water"));
    }
}
