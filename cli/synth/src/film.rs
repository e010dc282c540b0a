//! A film, frame by frame: its pixels and its truth.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::cast::Cast;
use crate::cutout::Cutout;
use crate::error::SynthError;
use crate::paint::{Canvas, Grain};
use crate::spec::ClipSpec;
use crate::storyboard::{self, Shot};
use crate::truth::{self, FaceTruth};
use crate::{backdrop, camera};

/// What shots.csv says about a shot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShotSummary {
    /// Frames of the film, from 0.
    pub frames: Range<u64>,
    /// The scene's name.
    pub kind: &'static str,
    /// `start`, `cut`, or `fade` where the shot comes out of black.
    pub transition: &'static str,
    /// Frames that are identical before encoding, where the shot has a static stretch.
    pub still_frames: Option<Range<u64>>,
}

/// A film that can be looked at frame by frame. Frames are cheapest in order.
pub struct Film {
    spec: ClipSpec,
    shots: Vec<Shot>,
    /// By the photos' names.
    heads: BTreeMap<String, Cutout>,
    grain: Grain,
    /// The background painted last, with its shot.
    backdrop: Option<(usize, Vec<u8>)>,
    frame: Vec<u8>,
}

impl Film {
    /// Draws the storyboard for the people of `cast`.
    pub fn new(spec: &ClipSpec, cast: Cast) -> Result<Self, SynthError> {
        spec.check()?;
        let grain = Grain::new(spec.seed);
        let shots = storyboard::shots(spec, &cast);
        let heads = cast.into_heads();
        Ok(Self { spec: spec.clone(), shots, heads, grain, backdrop: None, frame: Vec::new() })
    }

    /// Number of frames.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.shots.last().map_or(0, |s| s.frames.end)
    }

    /// The shots in order.
    #[must_use]
    pub fn shots(&self) -> Vec<ShotSummary> {
        let summary = |(i, shot): (usize, &Shot)| ShotSummary {
            frames: shot.frames.clone(),
            kind: shot.scene.name(),
            transition: match i {
                0 => "start",
                _ if shot.effects.fade_in_sec > 0.0 => "fade",
                _ => "cut",
            },
            still_frames: still_range(shot, &self.spec),
        };
        self.shots.iter().enumerate().map(summary).collect()
    }

    /// The number of the shot that `frame` (from 0) belongs to; the last one's for frames after the end.
    #[must_use]
    pub fn shot_of(&self, frame: u64) -> usize {
        self.shots.partition_point(|s| s.frames.end <= frame).min(self.shots.len() - 1)
    }

    /// The faces of a frame (from 0), by track.
    #[must_use]
    pub fn truth(&self, frame: u64) -> Vec<FaceTruth> {
        let shot = &self.shots[self.shot_of(frame)];
        truth::faces(shot, self.seconds_into(shot, frame), self.spec.size)
    }

    /// The pixels of a frame (from 0): RGB, row by row.
    pub fn paint(&mut self, frame: u64) -> &[u8] {
        let index = self.shot_of(frame);
        let shot = &self.shots[index];
        let (size, seed) = (self.spec.size, self.spec.seed);
        let backdrop = match self.backdrop.take() {
            Some((painted, rgb)) if painted == index => rgb,
            _ => backdrop::paint(size, seed, index),
        };
        let t_sec = self.seconds_into(shot, frame);
        let shift = shot.effects.shake.shift_px(shot.effects.shown_sec(t_sec), size.height);
        self.frame = camera::moved(&backdrop, size.width as usize, shift);
        self.backdrop = Some((index, backdrop));

        let mut canvas = Canvas { size, rgb: &mut self.frame };
        for (actor, placed) in shot.actors.iter().zip(truth::placements(shot, t_sec, size)) {
            if let Some(head) = self.heads.get_mut(&actor.person.photo) {
                canvas.person(actor, &placed, head);
            }
        }
        if let Some(table) = shot.effects.exposure(t_sec, shot.length_sec).table() {
            canvas.expose(&table);
        }
        let shown = still_range(shot, &self.spec).filter(|r| r.contains(&frame)).map_or(frame, |r| r.start);
        self.grain.add(shown, &mut self.frame);
        &self.frame
    }

    fn seconds_into(&self, shot: &Shot, frame: u64) -> f64 {
        frame.saturating_sub(shot.frames.start) as f64 / self.spec.fps.to_f64()
    }
}

/// The frames of a shot's static stretch: those whose time lies inside.
fn still_range(shot: &Shot, spec: &ClipSpec) -> Option<Range<u64>> {
    let [from, to] = shot.effects.still_sec?;
    let frame_at = |sec: f64| shot.frames.start + (sec * spec.fps.to_f64()).ceil() as u64;
    Some(frame_at(from)..frame_at(to).min(shot.frames.end))
}
