//! `facereel bench before-after`: the optimisation plan's own table, measured.
//!
//! The defaults look for smaller faces than was usual before, which the detector pays for; so there is a third run, that
//! looks for faces as before: what the plan itself brings, like for like.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::markdown::Table;
use super::measured::Measured;
use super::pipeline::machine;
use super::rows::{all_before, before, flags};
use crate::commands::evaluate::Truth;
use crate::console;
use crate::exit::Exit;

/// Measure a video with every knob of the optimisation plan as it was before, with the defaults, and with the defaults for
/// faces of the size that was looked for before.
#[derive(Debug, Args)]
pub(crate) struct BeforeAfterArgs {
    /// The video; aims are for 40 minutes
    video: PathBuf,
    /// Its ground truth, as for `facereel evaluate tracks`
    #[arg(long, value_name = "PATH")]
    gt: Option<PathBuf>,
    /// Put the results into the table of this file
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/benchmarks.md")]
    markdown: Option<PathBuf>,
}

/// Measures and prints.
pub(crate) fn run(args: &BeforeAfterArgs) -> Result<Exit> {
    let truth = args.gt.as_deref().map(Truth::read).transpose()?;
    let after = Measured::run(&args.video, &[], truth.as_ref())?;
    let alike = Measured::run(&args.video, &flags(before(SMALLEST_FACE), after.fps), truth.as_ref())?;
    let before = Measured::run(&args.video, &flags(all_before(), after.fps), truth.as_ref())?;
    let clip = args.video.file_name().unwrap_or_default().to_string_lossy();
    let place = format!("{}, {}", machine(), time::OffsetDateTime::now_utc().date());
    let rows: Vec<Vec<String>> = figures(&before)
        .into_iter()
        .zip(figures(&after).into_iter().zip(figures(&alike)))
        .map(|(before, (after, alike))| {
            let mut row = vec![clip.clone().into_owned(), before.name.to_owned(), shown(&before)];
            row.extend([shown(&after), change(before.value, after.value)]);
            row.extend([shown(&alike), change(before.value, alike.value)]);
            row.extend([before.aim.to_owned(), place.clone()]);
            row
        })
        .collect();
    for row in &rows {
        console::out(format!(
            "{:31} {:>10} {:>10} {:>7} {:>10} {:>7}  {}",
            row[1], row[2], row[3], row[4], row[5], row[6], row[7]
        ));
    }
    if let Some(file) = &args.markdown {
        TABLE.put(file, &rows)?;
    }
    Ok(Exit::Done)
}

/// The task of the plan that says which faces are large enough.
const SMALLEST_FACE: &str = "E1";

const TABLE: Table = Table {
    name: "before-after",
    header: &[
        "clip",
        "measure",
        "before",
        "after",
        "change",
        "after, for faces as before",
        "change",
        "aim",
        "where, when",
    ],
    keys: 2,
};

/// A line of the table.
struct Figure {
    name: &'static str,
    value: f64,
    decimals: usize,
    aim: &'static str,
}

fn shown(figure: &Figure) -> String {
    format!("{:.*}", figure.decimals, figure.value)
}

/// How far `after` is from `before`, in per cent.
fn change(before: f64, after: f64) -> String {
    if before == 0.0 {
        return String::new();
    }
    format!("{:+.0} %", 100.0 * (after - before) / before)
}

fn figures(measured: &Measured) -> Vec<Figure> {
    let count = |name, value: u64, aim| Figure { name, value: value as f64, decimals: 0, aim };
    let real = |name, value, decimals, aim| Figure { name, value, decimals, aim };
    let Measured { taken, decoding, .. } = measured;
    let mut figures = vec![
        count("frames", measured.frames, ""),
        count("frames decoded", decoding.frames_decoded, ""),
        count("frames analysed", measured.frames_analysed, "one in 6, and cuts"),
        count("detector calls", decoding.detector_calls, ""),
        count("detections", measured.detections, ""),
        count("track updates", measured.track_updates, ""),
        count("tracks", measured.tracks, "30 to 50 % fewer"),
        count("crops", measured.crops, "80 % fewer"),
        count("embeddings", measured.embeddings, ""),
        real("wall s", taken.wall_sec, 1, "a fifth"),
        real("CPU s", taken.cpu_sec, 1, ""),
        real("mean CPU %", taken.mean_cpu_percent(), 0, "within the limit"),
        real("peak CPU %, over 1 s", taken.peak_cpu_percent, 0, "within the limit"),
        real("peak memory MB", taken.peak_rss_bytes as f64 / 1e6, 0, ""),
        real("results on disk MB", measured.artifact_bytes as f64 / 1e6, 1, ""),
    ];
    if let Some(report) = &measured.report {
        let judged = &report.tracks.figures;
        figures.extend([
            real("HOTA", judged.hota, 1, ""),
            real("IDF1", judged.idf1, 1, ""),
            real("recall %", judged.recall, 1, ">= 85"),
            count("identity switches", judged.id_switches, ""),
            count("faces in another person's track", report.tracks.mixing.wrong_person_faces, "0"),
        ]);
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_per_cent_of_what_was_before() {
        assert_eq!(change(200.0, 40.0), "-80 %");
        assert_eq!(change(0.0, 3.0), "");
    }
}
