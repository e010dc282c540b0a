//! `facereel bench trackers`: our tracks beside those of textbook `ByteTrack` on the same detections.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use facereel_bytetrack::{TimedInputs, TrackInput, TrackerParams, track_forward};
use facereel_domain::geometry::BBox;
use facereel_evaluation::formats::ByFrame;
use facereel_evaluation::report::SequenceReport;
use facereel_evaluation::sequence::Identified;

use super::clip_folder;
use super::markdown::Table;
use super::own_run::own_run;
use crate::commands::evaluate::{DemandArgs, FinishedRun, Truth, judge_boxes, judge_run};
use crate::console;
use crate::exit::Exit;

/// Compare tracks with those of textbook `ByteTrack` on the same detections, on clips with ground truth.
///
/// Each clip is run twice: with the defaults, and with every frame analysed. The detections of the second run are what
/// `ByteTrack` gets, all of them and one frame in so many, without and with an end of all tracks at each cut.
#[derive(Debug, Args)]
pub(crate) struct TrackersArgs {
    /// Clips' folders, as `facereel bench synth` makes them: clip.mp4, gt/gt.txt, shots.csv
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Put the results into the table of this file
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/benchmarks.md")]
    markdown: Option<PathBuf>,
}

/// Measures and prints.
pub(crate) fn run(args: &TrackersArgs) -> Result<Exit> {
    for folder in &args.folders {
        let rows = compare(folder).with_context(|| folder.display().to_string())?;
        for row in &rows {
            console::out(row.join("  "));
        }
        if let Some(file) = &args.markdown {
            TABLE.put(file, &rows)?;
        }
    }
    Ok(Exit::Done)
}

/// A track of fewer detections is none.
const LEAST_OBSERVATIONS: usize = 2;

const TABLE: Table = Table {
    name: "trackers",
    header: &[
        "clip",
        "tracker",
        "one frame in",
        "tracks / true",
        "IDF1",
        "HOTA",
        "MOTA",
        "switches",
        "fragments",
        "mixed tracks",
        "wrong person",
        "tracks over a cut",
    ],
    keys: 3,
};

fn compare(folder: &Path) -> Result<Vec<Vec<String>>> {
    let truth = Truth::read(folder)?;
    let video = clip_folder::video(folder);
    let ours = finished(&video, &[])?;
    let dense = Detections::of(&finished(&video, &["--no-embed", "--set", "detect.stride=1"])?)?;
    let stride = u64::from(ours.manifest.settings.detect.stride);
    let clip = clip_folder::name(folder);
    let cuts = ours.shot_starts();
    let mut rows = Vec::new();
    for (name, cuts) in [("ByteTrack", &[][..]), ("ByteTrack, ended at cuts", &cuts)] {
        for stride in [1, stride] {
            let (boxes, judged) = dense.tracked(stride, cuts)?;
            let report = judge_boxes(&boxes, &truth, (&judged, DemandArgs::default()));
            rows.push(row(&clip, (name, stride), &report));
        }
    }
    let report = judge_run(&ours, &truth, (DemandArgs::default(), None))?;
    rows.push(row(&clip, ("facereel", stride), &report.tracks));
    Ok(rows)
}

fn finished(video: &Path, flags: &[&str]) -> Result<FinishedRun> {
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    let (_, out) = own_run(video, &flags)?;
    FinishedRun::read(&out.path().to_string_lossy(), None)
}

fn row(clip: &str, (tracker, stride): (&str, u64), report: &SequenceReport) -> Vec<String> {
    let SequenceReport { figures, mixing, .. } = report;
    let tracks = format!("{} / {}", figures.found_tracks, figures.truth_tracks);
    let mut row = vec![clip.to_owned(), tracker.to_owned(), stride.to_string(), tracks];
    row.extend([figures.idf1, figures.hota, figures.mota].map(|value| format!("{value:.1}")));
    row.extend([figures.id_switches, figures.fragments].map(|count| count.to_string()));
    row.extend(
        [mixing.mixed_tracks, mixing.wrong_person_faces, mixing.cut_crossing_tracks]
            .map(|count| count.to_string()),
    );
    row
}

/// What was detected in every frame of a clip.
struct Detections {
    by_frame: BTreeMap<u64, Vec<TrackInput>>,
    frames: u64,
    fps: f64,
}

impl Detections {
    fn of(run: &FinishedRun) -> Result<Self> {
        let mut by_frame: BTreeMap<u64, Vec<TrackInput>> = BTreeMap::new();
        for row in run.detections() {
            let bbox = BBox::from_xyxy(row.bbox_xyxy.map(|v| v as f32))?;
            let input = TrackInput { bbox, confidence: row.conf as f32 };
            by_frame.entry(row.frame_idx).or_default().push(input);
        }
        let video = &run.manifest.video;
        ensure!(!by_frame.is_empty(), "no face was detected");
        Ok(Self { by_frame, frames: video.frames, fps: video.timeline.fps.to_f64() })
    }

    /// What textbook `ByteTrack` makes of one frame in `stride`, and which frames these are. At each of `cuts` it begins
    /// anew.
    fn tracked(&self, stride: u64, cuts: &[u64]) -> Result<(ByFrame<Identified>, Vec<u64>)> {
        let looks: Vec<u64> = (0..self.frames).step_by(stride as usize).collect();
        let shot_of = |frame: u64| cuts.partition_point(|&first| first <= frame);
        let params = TrackerParams::reference_bytetrack(self.fps / stride as f64);
        let mut boxes = ByFrame::new();
        let mut id = 0;
        for shot in looks.chunk_by(|a, b| shot_of(*a) == shot_of(*b)) {
            let frames: Vec<TimedInputs> = shot.iter().map(|&frame| self.inputs(frame)).collect();
            let tracklets = track_forward(&frames, params)?;
            for tracklet in tracklets.iter().filter(|t| t.observations.len() >= LEAST_OBSERVATIONS) {
                id += 1;
                for seen in &tracklet.observations {
                    let boxes_there = boxes.entry(shot[seen.frame]).or_insert_with(Vec::new);
                    boxes_there.push(Identified { id, bbox: seen.bbox });
                }
            }
        }
        Ok((boxes, looks))
    }

    fn inputs(&self, frame: u64) -> TimedInputs {
        let inputs = self.by_frame.get(&frame).cloned().unwrap_or_default();
        TimedInputs { ts_sec: frame as f64 / self.fps, inputs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who sits still for two seconds at 24 frames a second.
    fn still() -> Detections {
        let face = TrackInput { bbox: BBox::from_xyxy([10.0, 10.0, 60.0, 70.0]).unwrap(), confidence: 0.9 };
        Detections { by_frame: (0..48).map(|frame| (frame, vec![face])).collect(), frames: 48, fps: 24.0 }
    }

    #[test]
    fn every_frame_or_one_in_six_is_tracked() {
        for (stride, looks) in [(1, 48), (6, 8)] {
            let (boxes, judged) = still().tracked(stride, &[]).unwrap();
            assert_eq!((boxes.len(), judged.len()), (looks, looks));
            assert!(boxes.values().flatten().all(|found| found.id == 1));
        }
    }

    #[test]
    fn at_a_cut_tracks_end() {
        let (boxes, _) = still().tracked(6, &[0, 24]).unwrap();
        assert_eq!((boxes[&18][0].id, boxes[&24][0].id), (1, 2));
    }
}
