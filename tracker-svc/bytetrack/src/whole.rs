//! Tracking with all of a shot at hand: forward, and then back in time.
//!
//! A track starts at its first sure sighting; by then the face may have been there for a while, paler, smaller or turned
//! away. Going forward nothing can be said about such sightings. Going back from the sure one they are as good as those
//! that come after it, and are taken by the same rules.

use crate::motion::Motion;
use crate::params::{ParamsError, TrackerParams};
use crate::tracker::{Live, Look, TimeError, TrackInput, Tracker};
use crate::tracklet::{Observation, Tracklet};

/// A frame's detections.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedInputs {
    /// Time in seconds.
    pub ts_sec: f64,
    /// All of its detections, in any order.
    pub inputs: Vec<TrackInput>,
}

/// Why a shot can't be tracked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrackError {
    /// A parameter is out of its range.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A frame's time can't follow the one before.
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// The tracklets of one shot, as a [`Tracker`] finds them that is shown one frame after the other.
pub fn track_forward(frames: &[TimedInputs], params: TrackerParams) -> Result<Vec<Tracklet>, TrackError> {
    let mut tracker = Tracker::new(params)?;
    for frame in frames {
        tracker.update(frame.ts_sec, &frame.inputs)?;
    }
    Ok(tracker.finish())
}

/// The tracklets of one shot in order of first appearance. All that [`Tracker`] promises holds, save that sightings may
/// come before the one that started the track.
pub fn track_whole(frames: &[TimedInputs], params: TrackerParams) -> Result<Vec<Tracklet>, TrackError> {
    let mut tracklets = retrace(track_forward(frames, params)?, frames, params)?;
    // A stable sort: tracks that now begin in the same frame stay in the order of their starts.
    tracklets.sort_by_key(|tracklet| tracklet.observations.first().map(|o| o.frame));
    Ok(tracklets)
}

/// Adds to the tracklets what they can be followed back to. The tracker runs on mirrored time: frames come last to first,
/// and a tracklet joins in when its first sighting is reached.
fn retrace(
    found: Vec<Tracklet>,
    frames: &[TimedInputs],
    params: TrackerParams,
) -> Result<Vec<Tracklet>, TrackError> {
    let mut taken: Vec<Vec<bool>> = frames.iter().map(|frame| vec![false; frame.inputs.len()]).collect();
    let mut joining: Vec<Vec<usize>> = vec![Vec::new(); frames.len()];
    for (number, tracklet) in found.iter().enumerate() {
        for o in &tracklet.observations {
            taken[o.frame][o.detection] = true;
        }
        joining[tracklet.observations[0].frame].push(number);
    }
    let mut tracker = Tracker::new(params)?;
    tracker.tracklets = found.into_iter().map(mirrored).collect();
    for (number, frame) in frames.iter().enumerate().rev() {
        tracker.pass_time(-frame.ts_sec)?;
        tracker.frames = number;
        let mut look = Look::new(-frame.ts_sec, &frame.inputs, &tracker.live);
        tracker.associate(&mut look, |detection| !taken[number][detection]);
        for tracklet in &joining[number] {
            let live = arrived(&tracker.tracklets[*tracklet], *tracklet, &params);
            tracker.live.push(live);
        }
    }
    Ok(tracker.finish().into_iter().map(mirrored).collect())
}

/// The tracklet as seen in time that runs the other way.
fn mirrored(mut tracklet: Tracklet) -> Tracklet {
    tracklet.observations.reverse();
    for o in &mut tracklet.observations {
        o.ts_sec = -o.ts_sec;
    }
    tracklet
}

/// A mirrored tracklet at its end, its motion learnt on the way there.
fn arrived(tracklet: &Tracklet, number: usize, params: &TrackerParams) -> Live {
    let observations: &[Observation] = &tracklet.observations;
    let mut motion = Motion::new(observations[0].bbox, &params.motion);
    for pair in observations.windows(2) {
        motion.advance(pair[1].ts_sec - pair[0].ts_sec, &params.motion);
        motion.correct(pair[1].bbox, &params.motion);
    }
    let last_seen_sec = observations[observations.len() - 1].ts_sec;
    Live { tracklet: number, motion, last_seen_sec, seen_once: observations.len() == 1, missed: 0 }
}
