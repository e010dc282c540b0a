//! `facereel evaluate tracks`: tracks against ground truth.

use std::path::{Path, PathBuf};
use std::slice::from_ref;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use facereel_domain::ids::EpisodeId;
use facereel_evaluation::formats::{ByFrame, found_boxes, mot_rows};
use facereel_evaluation::judged::{Demands, compare};
use facereel_evaluation::people::{Found, mixing, recall_by_shot, recall_by_size};
use facereel_evaluation::report::{Figures, SequenceReport, Tally};
use facereel_evaluation::sequence::Identified;
use serde::Serialize;

use super::finished::FinishedRun;
use super::table;
use super::truth::{Truth, read, sequences};
use crate::console;
use crate::exit::Exit;

/// Measure tracks against ground truth: HOTA, CLEAR and IDF1 as the tracking benchmarks count them, and recall by size
/// of the face and by shot.
///
/// Judged are the frames that were analysed (see --stride). Faces that are too small or too hidden are ignored: nobody
/// has to find them, and a box on them is no mistake.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TracksArgs {
    /// Ground truth: a file in MOTChallenge form, a clip's folder with gt/gt.txt, or a folder of such
    #[arg(long, value_name = "PATH")]
    gt: PathBuf,
    /// Where the results of `facereel run` are: a folder, or the URL of a store
    #[arg(long, value_name = "DIR", required_unless_present = "tracks", conflicts_with = "tracks")]
    run: Option<String>,
    /// Which episode of --run [default: the only one]
    #[arg(long, value_name = "ID", requires = "run")]
    episode: Option<EpisodeId>,
    /// Results of another tracker in MOTChallenge form: a file, or a folder with NAME.txt for each sequence
    #[arg(long, value_name = "PATH")]
    tracks: Option<PathBuf>,
    /// Names of the sequences to judge, one a line [default: all in the folder]
    #[arg(long, value_name = "FILE")]
    seqmap: Option<PathBuf>,
    /// Judge one frame in so many, from the first [default: as the run was sampled; every frame of --tracks]
    #[arg(long, value_name = "FRAMES")]
    stride: Option<u32>,
    #[command(flatten)]
    demands: DemandArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Which faces are asked for.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DemandArgs {
    /// Ignore true faces with a side below this, in pixels
    #[arg(long, value_name = "N", default_value_t = Self::default().min_px)]
    min_px: f32,
    /// Ignore true faces of which less than this can be seen, 0 to 1
    #[arg(long, value_name = "V", default_value_t = Self::default().ignore_visibility)]
    ignore_visibility: f64,
}

impl Default for DemandArgs {
    /// Faces that the pipeline is made for, of which enough is seen to call for a box.
    fn default() -> Self {
        Self { min_px: 32.0, ignore_visibility: 0.4 }
    }
}

impl DemandArgs {
    /// The same for faces of this size and more.
    pub(crate) fn of_size(self, min_px: u32) -> Self {
        Self { min_px: min_px as f32, ..self }
    }

    fn demands(self) -> Demands {
        Demands { min_px: self.min_px, min_visibility: self.ignore_visibility }
    }
}

const EXAMPLES: &str = "\
Examples:
  facereel evaluate tracks --gt clip --run data
  facereel evaluate tracks --gt MOT15/train --tracks results --min-px 0 --ignore-visibility 0";

/// A run against the truth.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunReport {
    #[serde(flatten)]
    pub(crate) tracks: SequenceReport,
    /// How many of the faces have any detection, tracked or not.
    pub(crate) detected: Found,
}

/// Judges and prints.
pub(crate) fn run(args: &TracksArgs) -> Result<Exit> {
    if let Some(folder) = &args.run {
        let finished = FinishedRun::read(folder, args.episode.as_ref())?;
        let report = judge_run(&finished, &Truth::read(&args.gt)?, (args.demands, args.stride))?;
        if args.json {
            console::out(serde_json::to_string_pretty(&report)?);
        } else {
            let SequenceReport { name, figures, .. } = &report.tracks;
            table::print(from_ref(name), &[*figures]);
            table::print_details(&report.tracks);
            table::print_detected(report.detected);
        }
        return Ok(Exit::Done);
    }
    let Some(results) = &args.tracks else { bail!("--run or --tracks is missing") };
    let sequences = sequences(&args.gt, args.seqmap.as_deref())?;
    let mut reports = Vec::with_capacity(sequences.len());
    let mut sum: Option<Tally> = None;
    for (name, path) in sequences {
        let found = found_boxes(&results_of(results, &name)?);
        let (report, tally) = judge_found(&found, &Truth::read(&path)?, args);
        sum = Some(sum.map_or_else(|| tally.clone(), |sum| sum.plus(&tally)));
        reports.push(SequenceReport { name, ..report });
    }
    show(&reports, sum.map(|sum| sum.figures()), args)?;
    Ok(Exit::Done)
}

/// Compares a finished run with the truth, in the frames it sampled or in one of so many.
pub(crate) fn judge_run(
    run: &FinishedRun,
    truth: &Truth,
    (demands, stride): (DemandArgs, Option<u32>),
) -> Result<RunReport> {
    run.check_constant_rate()?;
    let judged = match stride {
        Some(stride) => (0..run.manifest.video.frames).step_by(stride.max(1) as usize).collect(),
        None => run.sampled_frames(),
    };
    let demands = demands.demands();
    let (tracks, _) = judge(&run.tracked()?, truth, (&judged, &demands));
    let detected = compare(&truth.faces, &run.detected()?, (&judged, &demands)).outcomes;
    let found = detected.iter().filter(|outcome| outcome.found.is_some()).count() as u64;
    let name = run.manifest.run.ep_id.to_string();
    let detected = Found { found, faces: detected.len() as u64 };
    Ok(RunReport { tracks: SequenceReport { name, ..tracks }, detected })
}

/// Compares any tracks with the truth, in the frames that are `judged`.
pub(crate) fn judge_boxes(
    found: &ByFrame<Identified>,
    truth: &Truth,
    (judged, demands): (&[u64], DemandArgs),
) -> SequenceReport {
    judge(found, truth, (judged, &demands.demands())).0
}

fn judge_found(found: &ByFrame<Identified>, truth: &Truth, args: &TracksArgs) -> (SequenceReport, Tally) {
    let ends = [truth.faces.keys().last(), found.keys().last()];
    let end = ends.into_iter().flatten().max().map_or(0, |last| last + 1);
    let judged: Vec<u64> = (0..end).step_by(args.stride.unwrap_or(1).max(1) as usize).collect();
    judge(found, truth, (&judged, &args.demands.demands()))
}

fn judge(found: &ByFrame<Identified>, truth: &Truth, judged: (&[u64], &Demands)) -> (SequenceReport, Tally) {
    let comparison = compare(&truth.faces, found, judged);
    let tally = Tally::of(&comparison);
    let starts = &truth.shot_starts;
    let recall_by_shot =
        if starts.is_empty() { Vec::new() } else { recall_by_shot(&comparison.outcomes, starts) };
    let report = SequenceReport {
        name: String::new(),
        figures: tally.figures(),
        mixing: mixing(&comparison, &truth.people, starts),
        recall_by_size: recall_by_size(&comparison.outcomes),
        recall_by_shot,
    };
    (report, tally)
}

/// The rows of a tracker for the sequence `name`.
fn results_of(results: &Path, name: &str) -> Result<Vec<facereel_evaluation::formats::MotRow>> {
    let places = [format!("{name}.txt"), format!("data/{name}.txt")].map(|file| results.join(file));
    let file = match places.into_iter().find(|file| file.is_file()) {
        Some(file) => file,
        None if results.is_dir() => bail!("{} has no {name}.txt", results.display()),
        None => results.to_owned(),
    };
    mot_rows(&read(&file)?).with_context(|| file.display().to_string())
}

fn show(reports: &[SequenceReport], sum: Option<Figures>, args: &TracksArgs) -> Result<()> {
    if args.json {
        #[derive(Serialize)]
        struct All<'a> {
            sequences: &'a [SequenceReport],
            combined: Option<Figures>,
        }
        console::out(serde_json::to_string_pretty(&All { sequences: reports, combined: sum })?);
        return Ok(());
    }
    let mut names: Vec<String> = reports.iter().map(|report| report.name.clone()).collect();
    let mut figures: Vec<Figures> = reports.iter().map(|report| report.figures).collect();
    if let [report] = reports {
        table::print(&names, &figures);
        table::print_details(report);
    } else {
        names.push("all".to_owned());
        figures.extend(sum);
        table::print(&names, &figures);
    }
    Ok(())
}
