//! The parts of an episode put together: one line of frames, cut into shots.

use std::collections::BTreeSet;

use facereel_bytetrack::TrackError;
use facereel_domain::ids::{SegmentIndex, ShotIndex};
use facereel_domain::settings::PipelineSettings;
use facereel_domain::shot::{Shot, ShotStart, enough_samples, is_filler};
use facereel_domain::time::Pts;
use facereel_messages::objects::{
    AnalysedFrame, DetectionCounts, DetectionsPart, FrameFaces, FrameOrigin, Plan, SeenFace, Tracks,
    Untracked,
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
    pub(crate) fn join(plan: Plan, mut parts: Vec<DetectionsPart>, settings: &PipelineSettings) -> Self {
        parts.sort_by_key(|part| part.segment);
        let evidence = Evidence::gather(plan.video.timeline, &parts);
        let shots = find_shots(&evidence, &settings.shots);
        let mut counted: BTreeSet<Pts> = shots.iter().map(|shot| shot.first_pts).collect();
        counted.extend(fillers(&plan, &evidence, &shots, enough_samples(&settings.track) as usize));
        let counts = parts.iter().fold(DetectionCounts::default(), |sum, part| add(sum, part.counts));
        let timeline = plan.video.timeline;
        let mut frames: Vec<FrameFaces> = parts
            .into_iter()
            .flat_map(|part| part.analysed.into_iter().map(move |frame| (part.segment, frame)))
            .filter(|(_, frame)| frame.origin == FrameOrigin::Sampled || counted.contains(&frame.pts))
            .map(|(segment, frame)| {
                let pts = frame.pts;
                frame_faces(frame, (segment, shot_of(&shots, pts)), timeline.frame_idx(pts))
            })
            .collect();
        // Faces are known by their frame's number. Where frames come faster than can be numbered, one of a number is enough.
        frames.dedup_by_key(|frame| frame.frame_idx);
        Self { plan, shots, frames, counts }
    }

    /// Tracks each shot on its own: no track crosses a cut.
    pub(crate) fn track(mut self, settings: &PipelineSettings) -> Result<Tracks, TrackError> {
        let timeline = self.plan.video.timeline;
        let mut tracklets = Vec::new();
        for frames in self.frames.chunk_by_mut(|a, b| a.shot == b.shot) {
            track_shot(frames, &timeline, settings, &mut tracklets)?;
        }
        let mut warnings = std::mem::take(&mut self.plan.warnings);
        if self.counts.frames_broken > 0 {
            warnings
                .push(format!("{} frames could not be decoded and are missing", self.counts.frames_broken));
        }
        if self.counts.frames_damaged > 0 {
            warnings.push(format!("{} frames are damaged in parts", self.counts.frames_damaged));
        }
        Ok(Tracks {
            video: self.plan.video,
            shots: self.shots,
            frames: self.frames,
            tracklets,
            batches: 0,
            counts: self.counts,
            warnings,
        })
    }
}

/// The frames that fill the shots with fewer than `enough` samples. Of dissolves workers know nothing, so that no shot is
/// filled that begins or ends with one.
fn fillers(plan: &Plan, evidence: &Evidence<'_>, shots: &[Shot], enough: usize) -> Vec<Pts> {
    let sampled: Vec<Pts> = plan.segments.iter().flat_map(|segment| &segment.sampled).copied().collect();
    let dissolves = |shot: Option<&Shot>| shot.is_some_and(|shot| shot.start == ShotStart::Dissolve);
    let mut fillers = Vec::new();
    for (number, shot) in shots.iter().enumerate() {
        let after_first = sampled.partition_point(|pts| *pts <= shot.first_pts);
        let samples = 1 + sampled[after_first..].partition_point(|pts| *pts <= shot.last_pts);
        if samples >= enough || dissolves(Some(shot)) || dissolves(shots.get(number + 1)) {
            continue;
        }
        let first = evidence.decoded.partition_point(|frame| frame.pts < shot.first_pts);
        let shown = evidence.decoded[first..].iter().take_while(|frame| frame.pts <= shot.last_pts);
        let mut before = first.checked_sub(1).map(|place| evidence.decoded[place].pts);
        for frame in shown {
            if is_filler(&sampled, before, frame.pts) {
                fillers.push(frame.pts);
            }
            before = Some(frame.pts);
        }
    }
    fillers
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
        frames_damaged: a.frames_damaged + b.frames_damaged,
        detector_calls: a.detector_calls + b.detector_calls,
        boxes_refused: a.boxes_refused + b.boxes_refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{face, plan};
    use facereel_domain::settings::ShotSettings;
    use facereel_domain::shot::{CandidateRule, Step, Thumbnail, change};
    use facereel_domain::time::{PtsRange, Rational};
    use facereel_messages::objects::{DecodedFrame, PlannedSegment};
    use proptest::prelude::*;

    const FRAMES: usize = 120;
    /// The picture changes here; the third shot has two samples.
    const CUTS: [usize; 3] = [40, 84, 94];

    /// The picture of the shot that frame `at` belongs to.
    fn thumbnail(at: usize) -> Thumbnail {
        let seed = 1 + CUTS.iter().filter(|cut| **cut <= at).count();
        let noise = |x: usize, y: usize| {
            let mixed = (x * 7919 + y * 104_729 + seed * 15_485_863).wrapping_mul(2_654_435_761) >> 8;
            (40 + mixed % 150) as u8
        };
        Thumbnail::new((0..576).map(|i| noise(i % 32 / 4, i / 128)).collect(), vec![128; 144], vec![128; 144])
            .unwrap()
    }

    fn analysed(at: usize, origin: FrameOrigin) -> AnalysedFrame {
        let walking = face(at as f32 * 2.0, 100.0, 0.9);
        let standing = face(1500.0, 80.0, 0.8);
        let detections = vec![walking, standing];
        AnalysedFrame {
            pts: Pts(at as i64),
            origin,
            reused: false,
            wide: false,
            thumbnail: thumbnail(at),
            detections,
        }
    }

    /// What a worker makes of the frames from `first` to before `end` that takes every shot for a short one, and each
    /// frame for a filler.
    fn part(segment: usize, first: usize, end: usize) -> DetectionsPart {
        let rule = CandidateRule::new(&ShotSettings::default());
        let mut part = DetectionsPart {
            segment: SegmentIndex(segment as u32),
            decoded: Vec::new(),
            edges: Some((thumbnail(first), thumbnail(end - 1))),
            analysed: Vec::new(),
            counts: DetectionCounts { frames_decoded: (end - first) as u64, ..DetectionCounts::default() },
        };
        let mut steps: Vec<Step> = Vec::new();
        for at in first..end {
            let statistics = thumbnail(at).statistics();
            let changed = if at == first { 0.0 } else { change(&thumbnail(at - 1), &thumbnail(at)) };
            let step = Step { change: changed, mean: statistics.mean, spread: statistics.spread };
            if at % 6 == 0 {
                part.analysed.push(analysed(at, FrameOrigin::Sampled));
            } else if rule.is_candidate(&steps, &step) {
                part.analysed.push(analysed(at, FrameOrigin::ShotCandidate));
            } else {
                part.analysed.push(analysed(at, FrameOrigin::ShotFiller));
            }
            let pts = Pts(at as i64);
            part.decoded.push(DecodedFrame { pts, change: changed, mean: step.mean, spread: step.spread });
            steps.push(step);
        }
        part
    }

    /// A plan that samples one frame in six.
    fn sampled_plan() -> Plan {
        let pts = |at: usize| Pts(at as i64);
        let segment = PlannedSegment {
            index: SegmentIndex(0),
            range: PtsRange { start: None, end: None },
            frames: FRAMES as u32,
            sampled: (0..FRAMES).step_by(6).map(pts).collect(),
            fresh: Vec::new(),
        };
        Plan { segments: vec![segment], ..plan() }
    }

    /// The episode's tracks when it is cut into segments at `edges`; segment numbers, which tell where chips lie, left
    /// out.
    fn tracks(edges: &[usize]) -> Tracks {
        let mut bounds: Vec<usize> = edges.iter().copied().chain([0, FRAMES]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let parts = bounds.windows(2).enumerate().map(|(n, pair)| part(n, pair[0], pair[1])).collect();
        let settings = PipelineSettings::default();
        let mut tracks = Episode::join(sampled_plan(), parts, &settings).track(&settings).unwrap();
        for frame in &mut tracks.frames {
            frame.segment = SegmentIndex(0);
        }
        tracks
    }

    #[test]
    fn first_frames_of_shots_and_fillers_of_short_ones_count_and_others_are_dropped() {
        // Segments begin at frames that no sample falls on, so that each brings a candidate that begins no shot.
        let tracks = tracks(&[20, 61, 95]);
        let unsampled: Vec<u64> =
            tracks.frames.iter().map(|f| f.frame_idx).filter(|at| at % 6 != 0).collect();
        assert_eq!(unsampled, [40, 87, 93, 94]);
        let firsts: Vec<i64> = tracks.shots.iter().map(|shot| shot.first_pts.0).collect();
        assert_eq!(firsts, [0, 40, 84, 94]);
        assert_eq!(tracks.frames.iter().map(|f| f.shot.0).max(), Some(3));
    }

    #[test]
    fn no_track_crosses_a_cut_and_numbers_follow_first_appearance() {
        let tracks = tracks(&[]);
        let shots: Vec<u32> = tracks.tracklets.iter().map(|t| t.shot.0).collect();
        assert_eq!(shots, [0, 0, 1, 1, 2, 2, 3, 3]);
        for tracklet in &tracks.tracklets {
            let shot = &tracks.shots[tracklet.shot.index()];
            let inside = |at: u64| (shot.first_pts.0..=shot.last_pts.0).contains(&(at as i64));
            assert!(tracklet.observations.iter().all(|o| inside(o.frame_idx)));
        }
    }

    #[test]
    fn parts_may_come_in_any_order() {
        let settings = PipelineSettings::default();
        let parts = vec![part(1, 60, FRAMES), part(0, 0, 60)];
        let joined = Episode::join(sampled_plan(), parts, &settings).track(&settings).unwrap();
        assert!(joined.frames.windows(2).all(|pair| pair[0].pts < pair[1].pts));
        assert_eq!(joined.counts.frames_decoded, FRAMES as u64);
    }

    #[test]
    fn of_frames_with_one_number_one_is_taken() {
        // Twice as many frames a second as there are numbers: two of each, the first ones of shots among them.
        let mut plan = sampled_plan();
        plan.video.timeline.fps = Rational::new(12, 1).unwrap();
        let settings = PipelineSettings::default();
        let tracks = Episode::join(plan, vec![part(0, 0, FRAMES)], &settings).track(&settings).unwrap();
        let numbers: Vec<u64> = tracks.frames.iter().map(|frame| frame.frame_idx).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        assert_eq!(tracks.frames.iter().map(|frame| frame.shot.0).max(), Some(3));
    }

    #[test]
    fn broken_frames_are_told_to_people() {
        let mut broken = part(0, 0, FRAMES);
        broken.counts.frames_broken = 2;
        let settings = PipelineSettings::default();
        let tracks = Episode::join(sampled_plan(), vec![broken], &settings).track(&settings).unwrap();
        assert_eq!(tracks.warnings, ["2 frames could not be decoded and are missing"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn where_segments_begin_changes_nothing(edges in proptest::collection::vec(1..FRAMES, 0..6)) {
            prop_assert_eq!(tracks(&edges), tracks(&[]));
        }
    }
}
