//! `facereel bench ablation`: what each knob of the optimisation plan brings, one at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use facereel_domain::pipeline::Stage;

use super::clip_folder;
use super::markdown::Table;
use super::measured::Measured;
use super::profiles;
use super::rows::{KNOBS, Knob, flags};
use crate::commands::evaluate::Truth;
use crate::console;
use crate::exit::Exit;

/// Measure each knob of the optimisation plan by itself: before the plan, as planned, and as by default, on a clip with
/// ground truth.
///
/// Every other setting stays at its default. Equal settings are run once. Each run is a process of its own.
#[derive(Debug, Args)]
pub(crate) struct AblationArgs {
    /// A clip's folder, as `facereel bench synth` makes it: clip.mp4, gt/gt.txt, shots.csv
    folder: PathBuf,
    /// Only these tasks of the plan, as in A2,B4
    #[arg(long, value_name = "TASKS", value_delimiter = ',')]
    only: Vec<String>,
    /// Also the profiles fast, balanced and high
    #[arg(long)]
    profiles: bool,
    /// How often each is run; the fastest counts
    #[arg(long, default_value_t = 1, value_name = "N")]
    repeat: u32,
    /// Put the results into the table of this file
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/benchmarks.md")]
    markdown: Option<PathBuf>,
}

/// Measures and prints.
pub(crate) fn run(args: &AblationArgs) -> Result<Exit> {
    let clip = clip_folder::video(&args.folder);
    let mut bench = Bench { clip: &clip, truth: Truth::read(&args.folder)?, args, known: BTreeMap::new() };
    let fps = bench.measure(&[])?.1;
    let mut rows = Vec::new();
    for variant in variants(args, fps) {
        let measured = bench.measure(&variant.flags)?.0;
        let row = cells(&args.folder, &variant, &measured);
        console::out(row.join("  "));
        rows.push(row);
    }
    if let Some(file) = &args.markdown {
        TABLE.put(file, &rows)?;
    }
    if args.profiles {
        bench.compare_profiles()?;
    }
    Ok(Exit::Done)
}

/// The runs so far, by their flags.
struct Bench<'a> {
    clip: &'a Path,
    truth: Truth,
    args: &'a AblationArgs,
    known: BTreeMap<Vec<String>, (Measured, f64)>,
}

impl Bench<'_> {
    /// The profiles' own table.
    fn compare_profiles(&mut self) -> Result<()> {
        let profiles = profiles::NAMES.map(|name| Ok((name, self.measure(&profiles::flags(name))?.0)));
        let profiles = profiles.into_iter().collect::<Result<Vec<_>>>()?;
        let rows = profiles::rows(&clip_folder::name(&self.args.folder), &profiles);
        for row in &rows {
            console::out(row.join("  "));
        }
        self.args.markdown.as_ref().map_or(Ok(()), |file| profiles::TABLE.put(file, &rows))
    }

    /// What a run with these flags is like, and the clip's frame rate.
    fn measure(&mut self, flags: &[String]) -> Result<(Measured, f64)> {
        if let Some(known) = self.known.get(flags) {
            return Ok(known.clone());
        }
        let runs = (0..self.args.repeat.max(1)).map(|_| Measured::run(self.clip, flags, Some(&self.truth)));
        let runs = runs.collect::<Result<Vec<_>>>().with_context(|| flags.join(" "))?;
        let fastest = runs.into_iter().min_by(|a, b| a.taken.wall_sec.total_cmp(&b.taken.wall_sec));
        let measured = fastest.context("nothing was run")?;
        let fps = measured.fps;
        self.known.insert(flags.to_vec(), (measured.clone(), fps));
        Ok((measured, fps))
    }
}

/// One run of the table.
struct Variant {
    task: String,
    name: String,
    which: &'static str,
    flags: Vec<String>,
}

fn variants(args: &AblationArgs, fps: f64) -> Vec<Variant> {
    let is_wanted = |knob: &&Knob| args.only.is_empty() || args.only.iter().any(|task| task == knob.task);
    let of_knob = |knob: &Knob| {
        let sets = [("before", knob.before), ("planned", knob.planned)];
        let named = sets.into_iter().filter(|(_, set)| !set.is_empty()).map(|(which, set)| Variant {
            task: knob.task.to_owned(),
            name: knob.name.to_owned(),
            which,
            flags: flags(set, fps),
        });
        named.collect::<Vec<_>>()
    };
    let profile = |name: &str| Variant {
        task: "H1".to_owned(),
        name: format!("profile {name}"),
        which: "ours",
        flags: profiles::flags(name),
    };
    let defaults =
        Variant { task: String::new(), name: "all defaults".to_owned(), which: "ours", flags: Vec::new() };
    let knobs = KNOBS.iter().filter(is_wanted).flat_map(of_knob);
    let profiles = profiles::NAMES.into_iter().filter(|_| args.profiles).map(profile);
    std::iter::once(defaults).chain(knobs).chain(profiles).collect()
}

const TABLE: Table = Table { name: "ablation", header: &HEADER, keys: 4 };

const HEADER: [&str; 22] = [
    "clip",
    "task",
    "knob",
    "value",
    "settings",
    "wall s",
    "CPU s",
    "mean CPU %",
    "detect s",
    "embed s",
    "decoded",
    "detector calls",
    "detections",
    "tracks",
    "crops",
    "embeddings",
    "HOTA",
    "IDF1",
    "switches",
    "fragments",
    "recall",
    "wrong person",
];

fn cells(folder: &Path, variant: &Variant, measured: &Measured) -> Vec<String> {
    let clip = clip_folder::name(folder);
    let shown = variant.flags.join(" ").replace("--set ", "");
    let Measured { taken, decoding, .. } = measured;
    let mut cells = vec![clip, variant.task.clone(), variant.name.clone(), variant.which.to_owned(), shown];
    cells.extend([
        format!("{:.1}", taken.wall_sec),
        format!("{:.1}", taken.cpu_sec),
        format!("{:.0}", taken.mean_cpu_percent()),
        format!("{:.2}", measured.seconds_of(Stage::Detect)),
        format!("{:.2}", measured.seconds_of(Stage::Embed)),
        decoding.frames_decoded.to_string(),
        decoding.detector_calls.to_string(),
        measured.detections.to_string(),
        measured.tracks.to_string(),
        measured.crops.to_string(),
        measured.embeddings.to_string(),
    ]);
    let judged = measured.report.as_ref().map(|report| (&report.tracks.figures, &report.tracks.mixing));
    cells.extend(judged.map_or_else(
        || vec![String::new(); 6],
        |(figures, mixing)| {
            vec![
                format!("{:.1}", figures.hota),
                format!("{:.1}", figures.idf1),
                figures.id_switches.to_string(),
                figures.fragments.to_string(),
                format!("{:.1}", figures.recall),
                mixing.wrong_person_faces.to_string(),
            ]
        },
    ));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_cell_for_each_column_and_rows_differ_in_their_keys() {
        let args = AblationArgs {
            folder: PathBuf::from("clip"),
            only: Vec::new(),
            profiles: true,
            repeat: 1,
            markdown: None,
        };
        let variants = variants(&args, 24.0);
        let mut keys: Vec<_> = variants.iter().map(|v| (&v.task, &v.name, v.which)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), variants.len());
        assert!(variants.iter().any(|v| v.flags == ["--set", "track.buffer_sec=1.0417"]));
    }
}
