//! Tracks the detections of `MOTChallenge` sequences, for scoring the tracker alone.
//!
//! Reads `ROOT/SEQUENCE/det/det.txt` and `seqinfo.ini`, looks at every `--stride`-th frame, and writes
//! `OUT/NAME/data/SEQUENCE.txt` with the frames looked at renumbered from 1. Where `ROOT/SEQUENCE/shots.csv` exists
//! (columns `shot,first_frame,…`), tracks end at each shot's first frame.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use facereel_bytetrack::{TimedInputs, TrackInput, TrackerParams, Tracklet, track_forward, track_whole};
use facereel_domain::geometry::BBox;

#[derive(Parser)]
struct Args {
    /// Folder of sequences.
    root: PathBuf,
    /// Folder for results.
    out: PathBuf,
    /// Name of the results.
    #[arg(long, default_value = "facereel")]
    name: String,
    /// One frame in this many is looked at.
    #[arg(long, default_value_t = 1)]
    stride: usize,
    /// Parameters.
    #[arg(long, value_enum, default_value = "facereel")]
    preset: Preset,
    /// Whether tracks are also followed back in time.
    #[arg(long, value_enum, default_value = "forward")]
    time: Time,
    /// Tracks with fewer observations are left out.
    #[arg(long, default_value_t = 2)]
    min_observations: usize,
    /// What becomes of a track's first sighting. Online trackers cannot name it yet and leave it out.
    #[arg(long, value_enum, default_value = "keep")]
    first_sighting: FirstSighting,
    /// Which frame numbers to write.
    #[arg(long, value_enum, default_value = "renumbered")]
    frames: FrameNumbers,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    Facereel,
    Reference,
}

#[derive(Clone, Copy, ValueEnum)]
enum Time {
    Forward,
    Both,
}

#[derive(Clone, Copy, ValueEnum)]
enum FirstSighting {
    Keep,
    Drop,
}

#[derive(Clone, Copy, ValueEnum)]
enum FrameNumbers {
    Renumbered,
    Source,
}

struct Sequence {
    fps: f64,
    frames: usize,
    detections: BTreeMap<usize, Vec<TrackInput>>,
    /// First frames of the shots but the first.
    cuts: Vec<usize>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let out = args.out.join(&args.name).join("data");
    fs::create_dir_all(&out)?;
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&args.root)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.retain(|folder| folder.join("det/det.txt").exists());
    folders.sort();
    for folder in folders {
        let sequence = Sequence::read(&folder).with_context(|| folder.display().to_string())?;
        let tracklets = track(&sequence, &args)?;
        let name = folder.file_name().context("a sequence has no name")?;
        fs::write(out.join(name).with_extension("txt"), rows(&tracklets, &args)?)?;
    }
    Ok(())
}

fn track(sequence: &Sequence, args: &Args) -> Result<Vec<Tracklet>> {
    let params = match args.preset {
        Preset::Facereel => TrackerParams::default(),
        Preset::Reference => TrackerParams::reference_bytetrack(sequence.fps / args.stride as f64),
    };
    let numbers: Vec<usize> = (1..=sequence.frames).step_by(args.stride).collect();
    let shot_of = |frame: usize| sequence.cuts.iter().filter(|&&first| first <= frame).count();
    let mut tracklets = Vec::new();
    let mut looked_at = 0;
    for shot in numbers.chunk_by(|a, b| shot_of(*a) == shot_of(*b)) {
        let frames: Vec<TimedInputs> = shot.iter().map(|frame| sequence.frame(*frame)).collect();
        let mut found = match args.time {
            Time::Both => track_whole(&frames, params)?,
            Time::Forward => track_forward(&frames, params)?,
        };
        found.iter_mut().flat_map(|t| &mut t.observations).for_each(|o| o.frame += looked_at);
        tracklets.append(&mut found);
        looked_at += shot.len();
    }
    Ok(tracklets)
}

fn rows(tracklets: &[Tracklet], args: &Args) -> Result<String> {
    let skipped = match args.first_sighting {
        FirstSighting::Keep => 0,
        FirstSighting::Drop => 1,
    };
    let mut rows: BTreeMap<(usize, usize), String> = BTreeMap::new();
    let kept = tracklets.iter().filter(|t| t.observations.len() >= args.min_observations);
    for (id, tracklet) in kept.enumerate() {
        for o in tracklet.observations.iter().skip(skipped) {
            let number = match args.frames {
                FrameNumbers::Renumbered => o.frame + 1,
                FrameNumbers::Source => o.frame * args.stride + 1,
            };
            let [x, y, ..] = o.bbox.xyxy();
            let mut row = String::new();
            write!(row, "{number},{},{x:.2},{y:.2},", id + 1)?;
            writeln!(row, "{:.2},{:.2},{:.4},-1,-1,-1", o.bbox.width(), o.bbox.height(), o.confidence)?;
            rows.insert((o.frame, id), row);
        }
    }
    Ok(rows.into_values().collect())
}

impl Sequence {
    fn frame(&self, number: usize) -> TimedInputs {
        let inputs = self.detections.get(&number).cloned().unwrap_or_default();
        TimedInputs { ts_sec: (number - 1) as f64 / self.fps, inputs }
    }

    fn read(folder: &Path) -> Result<Self> {
        let info = fs::read_to_string(folder.join("seqinfo.ini"))?;
        let setting = |key: &str| {
            let line = info.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
            line.with_context(|| format!("seqinfo.ini has no {key}"))
        };
        let mut detections: BTreeMap<usize, Vec<TrackInput>> = BTreeMap::new();
        for line in fs::read_to_string(folder.join("det/det.txt"))?.lines() {
            let v: Vec<f32> = line.split(',').map(|v| v.trim().parse()).collect::<Result<_, _>>()?;
            let [frame, _, x, y, w, h, confidence, ..] = v[..] else { anyhow::bail!("short row: {line}") };
            let Ok(bbox) = BBox::from_xyxy([x, y, x + w, y + h]) else { continue };
            detections.entry(frame as usize).or_default().push(TrackInput { bbox, confidence });
        }
        let shots = folder.join("shots.csv");
        let cuts = if shots.exists() { cuts(&fs::read_to_string(shots)?)? } else { Vec::new() };
        Ok(Self {
            fps: setting("frameRate")?.parse()?,
            frames: setting("seqLength")?.parse()?,
            detections,
            cuts,
        })
    }
}

/// First frames of all shots but the first.
fn cuts(shots: &str) -> Result<Vec<usize>> {
    let first_frame = |line: &str| Ok(line.split(',').nth(1).context("short row in shots.csv")?.parse()?);
    shots.lines().skip(2).map(first_frame).collect()
}
