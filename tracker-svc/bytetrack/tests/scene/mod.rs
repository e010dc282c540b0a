//! A small world of moving faces to look at: who is where is known, whatever the frame rate.

#![allow(clippy::unwrap_used, reason = "only tests build scenes")]

use facereel_bytetrack::{TrackInput, Tracker, TrackerParams, Tracklet};
use facereel_domain::geometry::BBox;

/// A face that moves in a straight line or as `path` says.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) path: fn(f64) -> (f64, f64),
    pub(crate) width_px: f64,
    pub(crate) confidence: f32,
    /// When the camera sees it, in seconds; the end is not included.
    pub(crate) visible: Vec<(f64, f64)>,
}

impl Actor {
    /// A sure face of 100 pixels seen all the time.
    pub(crate) fn along(path: fn(f64) -> (f64, f64)) -> Self {
        Self { path, width_px: 100.0, confidence: 0.9, visible: vec![(0.0, f64::INFINITY)] }
    }

    pub(crate) fn seen(mut self, visible: &[(f64, f64)]) -> Self {
        self.visible = visible.to_vec();
        self
    }

    fn at(&self, ts_sec: f64) -> Option<TrackInput> {
        // Frame times are rounded; the hair keeps a frame on the edge of an interval inside it.
        let visible = self.visible.iter().any(|&(from, until)| (from..until).contains(&(ts_sec + 1e-9)));
        let (x, y) = (self.path)(ts_sec);
        let (w, h) = (self.width_px / 2.0, self.width_px * 0.6);
        let bbox = BBox::from_xyxy([x - w, y - h, x + w, y + h].map(|c| c as f32)).unwrap();
        visible.then_some(TrackInput { bbox, confidence: self.confidence })
    }
}

/// A track as told by who was really seen: `(actor, seconds)` of each sighting.
pub(crate) type Story = Vec<(usize, f64)>;

/// Tracks `actors` over `times_sec`; tracks end at each of `cuts_sec`.
pub(crate) fn stories(actors: &[Actor], times_sec: &[f64], cuts_sec: &[f64]) -> Vec<Story> {
    let mut tracker = Tracker::new(TrackerParams::default()).unwrap();
    let mut seen = Vec::new();
    let mut cuts = cuts_sec.iter().peekable();
    for &ts in times_sec {
        while cuts.next_if(|&&cut| cut <= ts).is_some() {
            tracker.cut();
        }
        let (who, inputs): (Vec<usize>, Vec<TrackInput>) =
            actors.iter().enumerate().filter_map(|(i, actor)| Some((i, actor.at(ts)?))).unzip();
        tracker.update(ts, &inputs).unwrap();
        seen.push(who);
    }
    let told = |t: &Tracklet| t.observations.iter().map(|o| (seen[o.frame][o.detection], o.ts_sec)).collect();
    tracker.finish().iter().map(told).collect()
}

/// Times of every `stride`-th frame for `duration_sec`.
pub(crate) fn times(fps: f64, stride: usize, duration_sec: f64) -> Vec<f64> {
    (0..(duration_sec * fps) as usize).step_by(stride).map(|frame| frame as f64 / fps).collect()
}

/// The one actor of a story; panics where a track mixes two.
pub(crate) fn actor(story: &Story) -> usize {
    let first = story[0].0;
    assert!(story.iter().all(|&(who, _)| who == first), "a track swapped people: {story:?}");
    first
}
