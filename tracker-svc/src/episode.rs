//! The parts of an episode put together: one line of frames, cut into shots.

use std::collections::BTreeSet;

use facereel_domain::ids::{SegmentIndex, ShotIndex};
use facereel_domain::settings::{PipelineSettings, ShotSettings};
use facereel_domain::shot::Shot;
use facereel_domain::time::Pts;
use facereel_messages::objects::{
    AnalysedFrame, DetectionCounts, DetectionsPart, FrameFaces, FrameOrigin, Plan, SeenFace,
    Tracks, Untracked,
};

use crate::shots::{Evidence, find_shots};
use crate::tracklets::track_shot;

/// An episode's shots and the analysed frames that count.
pub(crate) struct Episode {
    plan: Plan,
    shots: Vec<Shot>,
    frames: Vec<FrameFaces>,
    counts: DetectionCounts,
}

impl Episode {
    /// Joins `parts` (in order of segments) and finds the shots.
    pub(crate) fn join(plan: Plan, mut parts: Vec<DetectionsPart>, settings: &ShotSettings) -> Self {
        parts.sort_by_key(|part| part.segment);
        let shots = find_shots(&Evidence::gather(plan.video.timeline, &parts), settings);
        let starts: BTreeSet<Pts> = shots.iter().map(|shot| shot.first_pts).collect();
        let counts = parts.iter().fold(DetectionCounts::default(), |sum, part| add(sum, part.counts));
        let timeline = plan.video.timeline;
        let frames = parts
            .into_iter()
            .flat_map(|part| part.analysed.into_iter().map(move |frame| (part.segment, frame)))
            .filter(|(_, frame)| frame.origin == FrameOrigin::Sampled || starts.contains(&frame.pts))
            .map(|(segment, frame)| {
                let pts = frame.pts;
                frame_faces(frame, (segment, shot_of(&shots, pts)), timeline.frame_idx(pts))
            })
            .collect();
        Self { plan, shots, frames, counts }
    }

    /// Tracks each shot on its own: no track crosses a cut.
    pub(crate) fn track(mut self, settings: &PipelineSettings) -> Tracks {
        let timeline = self.plan.video.timeline;
        let mut tracklets = Vec::new();
        for frames in self.frames.chunk_by_mut(|a, b| a.shot == b.shot) {
            track_shot(frames, &timeline, settings, &mut tracklets);
        }
        let mut warnings = std::mem::take(&mut self.plan.warnings);
        if self.counts.frames_broken > 0 {
            warnings.push(format!("{} frames could not be decoded and are missing", self.counts.frames_broken));
        }
        Tracks {
            video: self.plan.video,
            shots: self.shots,
            frames: self.frames,
            tracklets,
            batches: 0,
            counts: self.counts,
            warnings,
        }
    }
}

/// The shot that a frame at `pts` belongs to.
fn shot_of(shots: &[Shot], pts: Pts) -> ShotIndex {
    let after = shots.partition_point(|shot| shot.first_pts <= pts);
    shots.get(after.saturating_sub(1)).map_or(ShotIndex(0), |shot| shot.index)
}

fn frame_faces(
    frame: AnalysedFrame,
    (segment, shot): (SegmentIndex, ShotIndex),
    frame_idx: u64,
) -> FrameFaces {
    let faces = frame
        .detections
        .into_iter()
        .map(|detection| SeenFace { detection, fate: Err(Untracked::NoTrack) })
        .collect();
    FrameFaces { pts: frame.pts, frame_idx, shot, segment, reused: frame.reused, faces }
}

fn add(a: DetectionCounts, b: DetectionCounts) -> DetectionCounts {
    DetectionCounts {
        frames_decoded: a.frames_decoded + b.frames_decoded,
        frames_skipped: a.frames_skipped + b.frames_skipped,
        frames_broken: a.frames_broken + b.frames_broken,
        detector_calls: a.detector_calls + b.detector_calls,
        boxes_refused: a.boxes_refused + b.boxes_refused,
    }
}
