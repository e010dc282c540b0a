//! The association of each frame's detections with the tracks so far.

use std::cmp::Ordering;

use facereel_domain::geometry::BBox;

use crate::affinity::{Expected, nearness, overlap};
use crate::assignment::GainMatrix;
use crate::motion::Motion;
use crate::params::{ParamsError, TrackerParams};
use crate::tracklet::{Observation, Tracklet, Via};

/// A detection as the tracker sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackInput {
    /// The face's box.
    pub bbox: BBox,
    /// The detector's score, 0 to 1; a detection whose score is not a number is left out.
    pub confidence: f32,
}

/// A time that cannot follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("frame at {ts_sec} s after one at {last_sec} s: time must be finite and not go back")]
pub struct TimeError {
    /// The time given.
    pub ts_sec: f64,
    /// Time of the update before.
    pub last_sec: f64,
}

/// Turns detections, frame by frame, into tracklets.
#[derive(Debug, Clone)]
pub struct Tracker {
    pub(crate) params: TrackerParams,
    /// Updates so far; the frame that observations are noted under.
    pub(crate) frames: usize,
    /// Cuts so far.
    shot: usize,
    last_sec: f64,
    pub(crate) live: Vec<Live>,
    pub(crate) tracklets: Vec<Tracklet>,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(params: TrackerParams) -> Result<Self, ParamsError> {
        params.validate()?;
        Ok(Self {
            params,
            frames: 0,
            shot: 0,
            last_sec: f64::NEG_INFINITY,
            live: Vec::new(),
            tracklets: Vec::new(),
        })
    }

    /// Takes in all detections of the next frame, also when there are none: time passes for the tracks. Their order
    /// does not matter. A refused frame leaves the tracker as it was.
    pub fn update(&mut self, ts_sec: f64, inputs: &[TrackInput]) -> Result<(), TimeError> {
        self.pass_time(ts_sec)?;
        let params = self.params;
        let mut look = Look::new(ts_sec, inputs, &self.live);
        let left = self.associate(&mut look, |_| true);
        for detection in left {
            let input = &inputs[detection];
            if input.confidence >= params.new_thresh && input.bbox.short_side() >= params.new_min_side_px {
                self.start(&look, detection);
            }
        }
        self.frames += 1;
        Ok(())
    }

    /// Continues tracks by those of the look's detections that are `free`; returns the strong ones that no track took,
    /// best first.
    pub(crate) fn associate(&mut self, look: &mut Look<'_>, free: impl Fn(usize) -> bool) -> Vec<usize> {
        let params = self.params;
        let mut strong = by_merit(look.inputs, params.high_thresh..=f32::INFINITY);
        let mut weak = by_merit(look.inputs, params.low_thresh..=params.high_thresh.next_down());
        strong.retain(|&detection| free(detection));
        weak.retain(|&detection| free(detection));

        let gains = look.gains(&strong, |expected, seen| overlap(expected, seen, params.min_iou));
        self.extend(look, &mut strong, &gains.best_pairs(), Via::Overlap);

        let gains = look.gains(&weak, |expected, seen| overlap(expected, seen, params.second_min_iou));
        self.extend(look, &mut weak, &gains.best_pairs(), Via::LowScore);

        if let Some(reach) = params.reach {
            let gains = look.gains(&strong, |expected, seen| nearness(expected, seen, &reach));
            self.extend(look, &mut strong, &gains.clear_pairs(f64::from(reach.clear_by)), Via::Reach);
        }
        for open in &look.open {
            self.live[*open].missed += 1;
        }
        strong
    }

    /// Ends all tracks: what comes next is another shot.
    pub fn cut(&mut self) {
        self.live.clear();
        self.shot += 1;
    }

    /// All tracklets in order of first appearance; a tracklet's position is its id.
    #[must_use]
    pub fn finish(self) -> Vec<Tracklet> {
        self.tracklets
    }

    /// Moves the tracks on to `ts_sec` and lets go of those that were not seen for too long.
    pub(crate) fn pass_time(&mut self, ts_sec: f64) -> Result<(), TimeError> {
        if !ts_sec.is_finite() || ts_sec < self.last_sec {
            return Err(TimeError { ts_sec, last_sec: self.last_sec });
        }
        let params = &self.params;
        let lost_sec = params.buffer_sec.min(params.max_gap_sec);
        self.live.retain(|track| {
            let patience = if track.seen_once { lost_sec.min(params.probation_sec) } else { lost_sec };
            ts_sec - track.last_seen_sec <= patience
        });
        for track in &mut self.live {
            track.motion.advance(ts_sec - self.last_sec, &params.motion);
        }
        self.last_sec = ts_sec;
        Ok(())
    }

    /// Continues tracks by `pairs` of (position in `look.open`, position in `candidates`), and takes both out.
    fn extend(&mut self, look: &mut Look, candidates: &mut Vec<usize>, pairs: &[(usize, usize)], via: Via) {
        for &(row, column) in pairs {
            let detection = candidates[column];
            let track = &mut self.live[look.open[row]];
            track.motion.correct(look.inputs[detection].bbox, &self.params.motion);
            track.last_seen_sec = look.ts_sec;
            track.seen_once = false;
            track.missed = 0;
            let observation = look.observation(self.frames, detection, via);
            self.tracklets[track.tracklet].observations.push(observation);
        }
        remove_positions(&mut look.open, pairs.iter().map(|pair| pair.0));
        remove_positions(candidates, pairs.iter().map(|pair| pair.1));
    }

    fn start(&mut self, look: &Look, detection: usize) {
        self.live.push(Live {
            tracklet: self.tracklets.len(),
            motion: Motion::new(look.inputs[detection].bbox, &self.params.motion),
            last_seen_sec: look.ts_sec,
            seen_once: true,
            missed: 0,
        });
        let observation = look.observation(self.frames, detection, Via::Birth);
        self.tracklets.push(Tracklet { shot: self.shot, observations: vec![observation] });
    }
}

/// A track that can still be continued.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// Position in `Tracker::tracklets`.
    pub(crate) tracklet: usize,
    pub(crate) motion: Motion,
    pub(crate) last_seen_sec: f64,
    pub(crate) seen_once: bool,
    /// Looks since it was last seen, without the present one.
    pub(crate) missed: usize,
}

/// One frame on its way through the associations.
pub(crate) struct Look<'a> {
    ts_sec: f64,
    inputs: &'a [TrackInput],
    /// By position in `Tracker::live`.
    expected: Vec<Expected>,
    /// Positions in `Tracker::live` of the tracks that have no detection yet.
    open: Vec<usize>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(ts_sec: f64, inputs: &'a [TrackInput], live: &[Live]) -> Self {
        let expect = |track: &Live| Expected {
            bbox: track.motion.bbox(),
            just_seen: (track.missed == 0).then(|| track.motion.seen()),
            unseen_sec: ts_sec - track.last_seen_sec,
        };
        Self { ts_sec, inputs, expected: live.iter().map(expect).collect(), open: (0..live.len()).collect() }
    }

    /// What each open track (rows) gains from each candidate (columns).
    fn gains(&self, candidates: &[usize], gain: impl Fn(&Expected, &BBox) -> f64) -> GainMatrix {
        GainMatrix::from_fn(self.open.len(), candidates.len(), |row, column| {
            gain(&self.expected[self.open[row]], &self.inputs[candidates[column]].bbox)
        })
    }

    fn observation(&self, frame: usize, detection: usize, via: Via) -> Observation {
        let TrackInput { bbox, confidence } = self.inputs[detection];
        Observation { frame, detection, ts_sec: self.ts_sec, bbox, confidence, via }
    }
}

/// Positions of the inputs with a score in `scores`, best first; equal scores by box, so that the order in which a
/// detector happens to list its boxes changes nothing.
fn by_merit(inputs: &[TrackInput], scores: std::ops::RangeInclusive<f32>) -> Vec<usize> {
    let mut positions: Vec<usize> =
        (0..inputs.len()).filter(|&i| scores.contains(&inputs[i].confidence)).collect();
    positions.sort_by(|&a, &b| {
        let (a, b) = (&inputs[a], &inputs[b]);
        let by_box = a.bbox.xyxy().into_iter().zip(b.bbox.xyxy()).map(|(x, y)| x.total_cmp(&y));
        by_box.fold(b.confidence.total_cmp(&a.confidence), Ordering::then)
    });
    positions
}

fn remove_positions(items: &mut Vec<usize>, positions: impl Iterator<Item = usize>) {
    let mut positions: Vec<usize> = positions.collect();
    positions.sort_unstable();
    for position in positions.into_iter().rev() {
        items.remove(position);
    }
}
