//! `track_metrics.json`: how good the tracks are, judged without ground truth, and readable warnings where a figure is
//! outside of its guardrail. Definitions stand beside the figures, because names alone have misled people before.

mod pairs;

use std::collections::{BTreeMap, BTreeSet};

use facereel_domain::settings::TrackSettings;
use facereel_messages::objects::{SeenFace, Tracks, Untracked};
use serde::{Deserialize, Serialize};

use crate::assemble::{Assembled, FinalTrack};
use crate::manifests::{SCHEMA_VERSION, rounded};

/// A track that was seen for less than this many seconds is short.
const SHORT_TRACK_SEC: f64 = 1.0;

/// All metrics of a run: `track_metrics.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackMetrics {
    /// Version of the file.
    pub schema_version: u32,
    /// Episode.
    pub ep_id: String,
    /// Figures by name.
    pub metrics: BTreeMap<String, Metric>,
    /// Detections by what became of them: `tracked`, or the reason why not.
    pub detections: BTreeMap<String, u64>,
    /// Chosen faces by the gate that refused them; `accepted` for the others.
    pub faces: BTreeMap<String, u64>,
    /// What people should look at.
    pub warnings: Vec<String>,
}

/// A figure with its meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The figure; null where there is nothing to judge.
    pub value: Option<f64>,
    /// What it counts.
    pub definition: String,
    /// The range it should lie in, for people.
    pub target: Option<String>,
}

/// A metric's name, meaning, target, and the values outside of which a warning is given.
struct Rule {
    name: &'static str,
    definition: &'static str,
    target: Option<&'static str>,
    warn_below: f64,
    warn_above: f64,
    advice: &'static str,
}

/// Bounds outside of which no figure lies.
const NEVER: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// Judges the tracks of a run.
#[must_use]
pub fn judge(ep_id: &str, assembled: &Assembled, settings: &TrackSettings) -> TrackMetrics {
    let mut metrics = BTreeMap::new();
    let mut warnings = Vec::new();
    for (rule, value) in figures(assembled, settings) {
        let value = value.filter(|v| v.is_finite()).map(|v| rounded(v, 4));
        if let Some(value) = value.filter(|v| *v < rule.warn_below || *v > rule.warn_above) {
            warnings.push(format!("{} is {value}, {}: {}", rule.name, outside(&rule, value), rule.advice));
        }
        let metric =
            Metric { value, definition: rule.definition.to_owned(), target: rule.target.map(str::to_owned) };
        metrics.insert(rule.name.to_owned(), metric);
    }
    TrackMetrics {
        schema_version: SCHEMA_VERSION,
        ep_id: ep_id.to_owned(),
        metrics,
        detections: fates(&assembled.tracks),
        faces: face_outcomes(assembled),
        warnings,
    }
}

fn outside(rule: &Rule, value: f64) -> String {
    if value > rule.warn_above {
        format!("above {}", rule.warn_above)
    } else {
        format!("below {}", rule.warn_below)
    }
}

fn figures(assembled: &Assembled, settings: &TrackSettings) -> Vec<(Rule, Option<f64>)> {
    let finals = &assembled.finals;
    let tracks = finals.len() as f64;
    let minutes = assembled.tracks.video.duration_sec / 60.0;
    let judged = |value: f64| (tracks > 0.0).then_some(value);
    let observations: f64 = finals.iter().map(|t| t.observations.len() as f64).sum();
    let splits = finals.iter().filter(|t| t.split_from.is_some()).count() as f64;
    let chosen: Vec<_> = finals.iter().flat_map(|t| &t.chosen).collect();
    let rejected = chosen.iter().filter(|f| f.embedded.outcome.is_err()).count() as f64;
    let accepted_quality =
        chosen.iter().filter(|f| f.embedded.outcome.is_ok()).map(|f| f64::from(f.chosen.quality.score));
    let spans = pairs::spans(assembled);
    let fragments = pairs::fragments(&spans, settings.max_gap_sec) as f64;
    let cohesions = finals.iter().filter_map(|t| Some(f64::from(t.prototype.as_ref()?.cohesion)));
    vec![
        (TRACKS_PER_MINUTE, (minutes > 0.0).then_some(tracks / minutes)),
        (
            SHORT_TRACKS,
            judged(
                finals.iter().filter(|t| duration(assembled, t) < SHORT_TRACK_SEC).count() as f64 / tracks,
            ),
        ),
        (ID_SWITCHES, judged(splits / tracks)),
        (FACES_PER_TRACK, judged(observations / tracks)),
        (COVERAGE, coverage(&assembled.tracks, settings.new_thresh.max(settings.high_thresh))),
        (QUALITY_MEAN, mean(accepted_quality)),
        (REJECTION, (!chosen.is_empty()).then_some(rejected / chosen.len() as f64)),
        (NORM_ERROR, largest_norm_error(finals)),
        (COHESION, mean(cohesions)),
        (SPREAD, mean(finals.iter().filter_map(spread))),
        (FRAGMENTS, (minutes > 0.0).then_some(fragments / minutes)),
        (ID_CLASHES, Some(pairs::id_clashes(&spans) as f64)),
        (CUT_CROSSING, Some(cut_crossing(assembled) as f64)),
        (DOUBLE_BOXES, Some(double_boxes(finals) as f64)),
        (RECALL, None),
    ]
}

const TRACKS_PER_MINUTE: Rule = Rule {
    name: "tracks_per_minute",
    definition: "tracks by minutes of video",
    target: Some("10 to 30"),
    warn_below: NEVER.0,
    warn_above: 50.0,
    advice: "people are split into many tracks, or the video is cut very fast; look at shots.jsonl first, then \
             raise track.max_gap_sec or track.max_jump",
};
const SHORT_TRACKS: Rule = Rule {
    name: "short_track_fraction",
    definition: "share of tracks seen for less than 1 s from first to last frame",
    target: Some("< 0.20"),
    warn_below: NEVER.0,
    warn_above: 0.30,
    advice: "many tracks are fragments; lower detect.stride, or raise track.min_observations to leave them out",
};
const ID_SWITCHES: Rule = Rule {
    name: "id_switch_rate",
    definition: "share of tracks that begin where the appearance gate found that a track had changed the person",
    target: Some("< 0.05"),
    warn_below: NEVER.0,
    warn_above: 0.10,
    advice: "association mixes people, or shots were missed; look at shots.jsonl first, then lower track.max_jump or \
             detect.stride",
};
const FACES_PER_TRACK: Rule = Rule {
    name: "faces_per_track",
    definition: "mean number of analysed frames in which a track was seen",
    target: Some("20 to 50 at 8 to 12 analysed frames a second"),
    warn_below: NEVER.0,
    warn_above: NEVER.1,
    advice: "",
};
const COVERAGE: Rule = Rule {
    name: "coverage",
    definition: "share of the detections that are large enough and sure enough to begin a track (track.new_thresh) that are in one",
    target: Some(">= 0.85"),
    warn_below: 0.7,
    warn_above: NEVER.1,
    advice: "many good detections are in no track; detections in track_metrics.json counts them by reason (no_track, \
             track_unsure, track_too_short, ...), and untracked in detections.jsonl tells each one's",
};
const QUALITY_MEAN: Rule = Rule {
    name: "quality_mean",
    definition: "mean quality score of the faces with a vector",
    target: Some(">= 0.75"),
    warn_below: 0.4,
    warn_above: NEVER.1,
    advice: "faces are small, blurred or turned away; vectors will be less reliable",
};
const REJECTION: Rule = Rule {
    name: "rejection_rate",
    definition: "share of the chosen faces that a quality gate refused",
    target: Some("< 0.30"),
    warn_below: NEVER.0,
    warn_above: 0.5,
    advice: "see skip in faces.jsonl for the gates; lower the quality.* setting that refuses most",
};
const NORM_ERROR: Rule = Rule {
    name: "embedding_norm_error",
    definition: "largest distance of a vector's length from 1",
    target: Some("<= 0.01"),
    warn_below: NEVER.0,
    warn_above: 0.01,
    advice: "the embedder gives no unit vectors",
};
const COHESION: Rule = Rule {
    name: "cohesion_mean",
    definition: "mean over tracks of the mean similarity of a track's faces to its vector",
    target: None,
    warn_below: NEVER.0,
    warn_above: NEVER.1,
    advice: "",
};
const SPREAD: Rule = Rule {
    name: "embedding_spread",
    definition: "mean over tracks of the largest distance (1 less similarity) of one of a track's faces to its vector",
    target: None,
    warn_below: NEVER.0,
    warn_above: NEVER.1,
    advice: "",
};
const FRAGMENTS: Rule = Rule {
    name: "fragments_per_minute",
    definition: "tracks by minutes of video that begin where another of the shot ended at most track.max_gap_sec before: \
                 no farther away than two face widths, of like size, without vectors that tell two people",
    target: None,
    warn_below: NEVER.0,
    warn_above: NEVER.1,
    advice: "",
};
const ID_CLASHES: Rule = Rule {
    name: "id_clashes",
    definition: "pairs of tracks that are there at the same time with vectors of similarity 0.6 or more, as if one person \
                 were in two places",
    target: Some("0"),
    warn_below: NEVER.0,
    warn_above: 0.0,
    advice: "mirrors, pictures of people and twins do this; if it is none of these, a track mixes two people: lower \
             track.max_jump or detect.stride",
};
const CUT_CROSSING: Rule = Rule {
    name: "cut_crossing_tracks",
    definition: "tracks with faces in more than one shot",
    target: Some("0"),
    warn_below: NEVER.0,
    warn_above: 0.0,
    advice: "this must not happen; please report it",
};
const DOUBLE_BOXES: Rule = Rule {
    name: "double_boxes",
    definition: "faces that share track and frame with another",
    target: Some("0"),
    warn_below: NEVER.0,
    warn_above: 0.0,
    advice: "this must not happen; please report it",
};
const RECALL: Rule = Rule {
    name: "recall",
    definition: "share of the true faces that were found; needs ground truth, so null here",
    target: Some(">= 0.85"),
    warn_below: NEVER.0,
    warn_above: NEVER.1,
    advice: "",
};

fn duration(assembled: &Assembled, track: &FinalTrack) -> f64 {
    let ts = |id: Option<&facereel_domain::ids::FaceId>| {
        let frame = id.and_then(|id| assembled.frame(id.frame_idx));
        frame.map_or(0.0, |frame| assembled.tracks.video.timeline.seconds(frame.pts))
    };
    ts(track.observations.last()) - ts(track.observations.first())
}

/// Tracked detections among those that had a chip (so were large enough) and could have begun a track.
fn coverage(tracks: &Tracks, new_thresh: f32) -> Option<f64> {
    let is_usable =
        |face: &&SeenFace| face.detection.chip.is_some() && face.detection.confidence >= new_thresh;
    let (tracked, all) = tracks
        .frames
        .iter()
        .flat_map(|frame| &frame.faces)
        .filter(is_usable)
        .fold((0_u32, 0_u32), |(tracked, all), face| (tracked + u32::from(face.fate.is_ok()), all + 1));
    (all > 0).then(|| f64::from(tracked) / f64::from(all))
}

fn largest_norm_error(finals: &[FinalTrack]) -> Option<f64> {
    let vectors = finals.iter().flat_map(|t| &t.chosen).filter_map(|f| f.embedded.outcome.as_ref().ok());
    vectors
        .map(|v| (v.as_slice().iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() - 1.0).abs())
        .max_by(f64::total_cmp)
}

/// Distance of the face that is least like its track.
fn spread(track: &FinalTrack) -> Option<f64> {
    let vector = &track.prototype.as_ref()?.embedding;
    let faces = track.chosen.iter().filter_map(|face| face.embedded.outcome.as_ref().ok());
    faces.map(|face| 1.0 - f64::from(face.similarity(vector))).max_by(f64::total_cmp)
}

fn cut_crossing(assembled: &Assembled) -> usize {
    let shots_of = |track: &FinalTrack| {
        let frames = track.observations.iter().filter_map(|id| assembled.frame(id.frame_idx));
        frames.map(|frame| frame.shot).collect::<BTreeSet<_>>().len()
    };
    assembled.finals.iter().filter(|track| shots_of(track) > 1).count()
}

fn double_boxes(finals: &[FinalTrack]) -> usize {
    let doubles = |track: &FinalTrack| {
        track.observations.windows(2).filter(|pair| pair[0].frame_idx == pair[1].frame_idx).count()
    };
    finals.iter().map(doubles).sum()
}

fn fates(tracks: &Tracks) -> BTreeMap<String, u64> {
    let mut fates = BTreeMap::new();
    for face in tracks.frames.iter().flat_map(|frame| &frame.faces) {
        let name = face.fate.map_or_else(Untracked::as_str, |_| "tracked");
        *fates.entry(name.to_owned()).or_default() += 1;
    }
    fates
}

fn face_outcomes(assembled: &Assembled) -> BTreeMap<String, u64> {
    let mut outcomes = BTreeMap::new();
    for face in assembled.finals.iter().flat_map(|track| &track.chosen) {
        let name = face.embedded.outcome.as_ref().map_or_else(String::as_str, |_| "accepted");
        *outcomes.entry(name.to_owned()).or_default() += 1;
    }
    outcomes
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, n), v| (sum + v, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}
