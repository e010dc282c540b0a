//! `facereel evaluate shots`: cuts against a list.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use facereel_domain::ids::EpisodeId;
use facereel_evaluation::shots::{ShotReport, compare};
use serde::Serialize;

use super::finished::FinishedRun;
use super::truth::read_shot_starts;
use crate::console;
use crate::exit::Exit;

/// Measure how many cuts were found, and how many were made up.
#[derive(Debug, Args)]
pub(crate) struct ShotsArgs {
    /// The true shots: CSV with a column `first_frame`, or the folder of a clip with shots.csv
    #[arg(long, value_name = "FILE")]
    gt: PathBuf,
    /// Where the results of `facereel run` are: a folder, or the URL of a store
    #[arg(long, value_name = "DIR")]
    run: String,
    /// Which episode of --run [default: the only one]
    #[arg(long, value_name = "ID")]
    episode: Option<EpisodeId>,
    /// How many frames a cut may be off: frames that nobody needs are not decoded, so that a shot may be seen late
    #[arg(long, value_name = "N", default_value_t = 2)]
    tolerance_frames: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shares<'a> {
    #[serde(flatten)]
    report: &'a ShotReport,
    precision: f64,
    recall: f64,
    f1: f64,
}

/// Compares and prints.
pub(crate) fn run(args: &ShotsArgs) -> Result<Exit> {
    let list = if args.gt.is_dir() { args.gt.join("shots.csv") } else { args.gt.clone() };
    let truth = read_shot_starts(&list)?;
    let found = FinishedRun::read(&args.run, args.episode.as_ref())?.shot_starts();
    // The first shot begins with the video: nothing to find.
    let cuts = |starts: &[u64]| starts.get(1..).unwrap_or_default().to_vec();
    let report = compare(&cuts(&truth), &cuts(&found), args.tolerance_frames);
    if args.json {
        let (precision, recall, f1) = (report.precision(), report.recall(), report.f1());
        console::out(serde_json::to_string_pretty(&Shares { report: &report, precision, recall, f1 })?);
        return Ok(Exit::Done);
    }
    console::out(format!(
        "cuts        {} of {} found, {} made up",
        report.hits,
        report.hits + report.missed.len() as u64,
        report.made_up.len()
    ));
    console::out(format!(
        "precision   {:.4}   recall {:.4}   F1 {:.4}",
        report.precision(),
        report.recall(),
        report.f1()
    ));
    for (what, frames) in [("missed", &report.missed), ("made up", &report.made_up)] {
        if !frames.is_empty() {
            console::out(format!("{what:11} at frames {frames:?}"));
        }
    }
    Ok(Exit::Done)
}
