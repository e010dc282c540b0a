//! `facereel status`: where runs and queues stand.

use std::io::{IsTerminal as _, stdout};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use facereel_domain::ids::EpisodeId;
use facereel_domain::pipeline::Stage;
use facereel_queue::Queue;
use facereel_service::StopSignals;
use facereel_settings::Resolved;
use indicatif::MultiProgress;

use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{
    Overview, QueueView, RunView, Shown, Standing, Table, Watcher, in_runtime, open_store,
    refuse_private_queue, utc,
};
use crate::progress::clock;
use crate::setting_args::SettingArgs;

/// Show where runs and queues stand.
///
/// Everything is read from the store and the broker. PARTS are those of the stage at work; DONE are frames while it is
/// detect, else parts. At the first look the rate is the mean since the run was submitted, while watching it is what was
/// seen to happen.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct StatusArgs {
    /// Only these episodes [default: all]
    #[arg(value_name = "EPISODE")]
    episodes: Vec<EpisodeId>,
    /// Look again and again until no run is under way; fails if one of them failed or was cancelled
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SEC", default_value = "2", value_parser = clap::value_parser!(u32).range(1..=3600))]
    every: u32,
    /// Show older committed runs of an episode too
    #[arg(long)]
    all: bool,
    /// As JSON; with --watch one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel status                                 everything
  facereel status SHOW-S01E01 --watch             wait for one episode
  facereel status --json | jq '.runs[] | select(.state == \"failed\")'";

/// Looks once, or until nothing is under way.
pub(crate) fn run(args: &StatusArgs) -> Result<Exit> {
    let resolved = args.settings.resolve(Vec::new())?;
    logging::start(&resolved, &MultiProgress::new())?;
    in_runtime(async {
        let mut signals = StopSignals::listen()?;
        let store = open_store(&resolved).await?;
        let mut watcher = Watcher::new(store, open_queue(&resolved).await);
        let shown = if args.all { Shown::All } else { Shown::Current };
        loop {
            let overview = watcher.look(&args.episodes, shown).await?;
            if let Some(ep_id) = missing(&args.episodes, &overview) {
                bail!("there is no run of episode {ep_id}: `facereel status` shows those there are");
            }
            show(&overview, args)?;
            let is_over = overview.runs.iter().all(|view| view.standing.is_end());
            if !args.watch || is_over {
                return Ok(exit_of(&overview, args));
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(args.every.into())) => {}
                () = signals.next() => return Ok(Exit::Interrupted),
            }
        }
    })
}

/// The store tells the most; without a broker its part is still shown.
async fn open_queue(resolved: &Resolved) -> Result<Arc<dyn Queue>, String> {
    refuse_private_queue(resolved).map_err(|_| "queue.url names no broker".to_owned())?;
    let opened = facereel_queue::open(&resolved.settings.runtime.queue, "facereel status").await;
    opened.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

fn missing<'a>(wanted: &'a [EpisodeId], overview: &Overview) -> Option<&'a EpisodeId> {
    wanted.iter().find(|ep_id| overview.runs.iter().all(|view| view.run.ep_id != **ep_id))
}

/// Whoever waited for runs is told whether they are good; a look alone is no failure.
fn exit_of(overview: &Overview, args: &StatusArgs) -> Exit {
    let is_good = |view: &RunView| view.standing == Standing::Done;
    if args.watch && !overview.runs.iter().all(is_good) { Exit::Failed } else { Exit::Done }
}

fn show(overview: &Overview, args: &StatusArgs) -> Result<()> {
    match (args.json, args.watch) {
        (true, true) => console::out(serde_json::to_string(overview)?),
        (true, false) => console::out(serde_json::to_string_pretty(overview)?),
        (false, true) if stdout().is_terminal() => {
            // From the upper left corner of a cleared screen.
            console::out(format!("\x1b[H\x1b[2J{}", text(overview)));
        }
        (false, _) => console::out(text(overview)),
    }
    Ok(())
}

fn text(overview: &Overview) -> String {
    let mut runs = Table::new(&["EPISODE", "RUN", "STATE", "PARTS", "DONE", "RATE", "LEFT", "NOTE"]);
    overview.runs.iter().for_each(|view| runs.push(run_row(view)));
    let mut paragraphs = vec![runs.text(), counts(&overview.runs)];
    if !overview.queues.is_empty() {
        let mut queues = Table::new(&["QUEUE", "WAITING", "AT WORK", "RETRYING", "CONSUMERS"]);
        overview.queues.iter().for_each(|view| queues.push(queue_row(view)));
        paragraphs.push(queues.text());
    }
    paragraphs.push(match (&overview.no_broker, overview.dead_letters) {
        (Some(reason), _) => format!("queues    not looked at: {reason}"),
        (None, Some(count @ 1..)) => format!("dead      {count} jobs were given up: `facereel dead list`"),
        _ if overview.queues.is_empty() => "queues    empty, no dead letters".to_owned(),
        _ => "dead      no dead letters".to_owned(),
    });
    paragraphs.join("\n\n")
}

fn run_row(view: &RunView) -> [String; 8] {
    let none = || "-".to_owned();
    let (state, parts, done) = match &view.headway {
        Some(headway) => {
            let (units_done, units) = headway.units();
            let percent = (100 * units_done).checked_div(units).unwrap_or(0);
            let parts = format!("{}/{}", headway.parts_done, headway.parts);
            (headway.phase.to_string(), parts, format!("{percent} %"))
        }
        None => (view.standing.word().to_owned(), none(), none()),
    };
    let phase = view.headway.as_ref().map(|headway| headway.phase);
    let unit = if phase == Some(Stage::Detect) { "frames/s" } else { "parts/s" };
    let rate = view.rate.map_or_else(none, |rate| format!("{rate:.1} {unit}"));
    let left = view.eta_sec.map_or_else(none, clock);
    [view.run.ep_id.to_string(), view.run.run_id.to_string(), state, parts, done, rate, left, note(view)]
}

fn note(view: &RunView) -> String {
    match &view.standing {
        Standing::Failed(failure) => format!("{}, {}: {}", failure.stage, failure.part, failure.reason),
        Standing::Cancelled(note) => format!("since {}", utc(note.cancelled_unix_sec)),
        Standing::Submitted(note) => format!("{}, since {}", note.lane, utc(note.submitted_unix_sec)),
        Standing::New => {
            "in no queue: `facereel run` works on it, or submitting it was interrupted".to_owned()
        }
        Standing::Done if !view.is_current => "an older run".to_owned(),
        Standing::Done => String::new(),
    }
}

/// `12 done, 3 under way, 1 failed`.
fn counts(runs: &[RunView]) -> String {
    let count =
        |is_wanted: fn(&Standing) -> bool| runs.iter().filter(|view| is_wanted(&view.standing)).count();
    let counted = [
        (count(|standing| *standing == Standing::Done), "done"),
        (count(|standing| !standing.is_end()), "under way"),
        (count(|standing| matches!(standing, Standing::Failed(_))), "failed"),
        (count(|standing| matches!(standing, Standing::Cancelled(_))), "cancelled"),
    ];
    let words: Vec<_> =
        counted.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let text = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    format!("runs      {text}")
}

fn queue_row(view: &QueueView) -> [String; 5] {
    let known = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let QueueView { stage, lane, waiting, retrying, at_work, consumers } = view;
    let name = format!("{stage} {lane}");
    [name, waiting.to_string(), known(*at_work), retrying.to_string(), consumers.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Failure, Headway};
    use facereel_domain::ids::RunRef;

    fn view(ep_id: &str, standing: Standing) -> RunView {
        let run = RunRef { ep_id: ep_id.parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
        RunView { run, standing, is_current: true, headway: None, rate: None, eta_sec: None }
    }

    fn overview(runs: Vec<RunView>) -> Overview {
        Overview { runs, queues: Vec::new(), dead_letters: Some(0), no_broker: None }
    }

    #[test]
    fn a_run_at_work_shows_stage_parts_rate_and_time_left() {
        let headway =
            Headway { phase: Stage::Detect, parts_done: 12, parts: 40, frames_done: 31, frames: 100 };
        let at_work = RunView {
            headway: Some(headway),
            rate: Some(210.0),
            eta_sec: Some(200.0),
            ..view("A", Standing::New)
        };
        let row = run_row(&at_work);
        assert_eq!(row[2..7], ["detect", "12/40", "31 %", "210.0 frames/s", "3:20"]);
    }

    #[test]
    fn a_failed_run_says_where_and_why() {
        let failure = Failure {
            stage: "plan".to_owned(),
            part: "whole episode".to_owned(),
            reason: "no video stream".to_owned(),
        };
        let shown = text(&overview(vec![view("A", Standing::Done), view("B", Standing::Failed(failure))]));
        assert!(shown.contains("plan, whole episode: no video stream"), "{shown}");
        assert!(shown.contains("runs      1 done, 1 failed"), "{shown}");
        assert!(shown.contains("no dead letters"), "{shown}");
    }

    #[test]
    fn an_empty_store_says_so() {
        assert!(text(&overview(Vec::new())).contains("runs      none"));
    }
}
