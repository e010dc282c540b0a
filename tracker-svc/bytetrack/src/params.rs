//! The tracker's knobs, each with what turning it costs.

use std::ops::RangeInclusive;

/// A parameter out of its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is {value}; it must be {expected}")]
pub struct ParamsError {
    /// The field.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What would do.
    pub expected: &'static str,
}

/// How tracks are made. Every time is in seconds and every distance in sizes of the face, so that neither frame
/// rate nor resolution changes the result; nothing counts updates.
///
/// [`TrackerParams::default`] is made for faces at about four frames a second and holds up to every frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerParams {
    /// Detections with at least this score take part in the first association, 0 to 1. Higher leaves more faces to the
    /// second association, which is stricter about place; lower lets doubtful boxes compete with sure ones.
    pub high_thresh: f32,
    /// Detections below this score are not looked at, 0 to `high_thresh`. Lower carries tracks through blur and
    /// profile views; too low and a track goes on along a collar after its face has left.
    pub low_thresh: f32,
    /// Only a detection with at least this score starts a track, `high_thresh` to 1. Higher means fewer false tracks
    /// and later starts of true ones.
    pub new_thresh: f32,
    /// Only a detection whose box measures at least this along its shorter side starts a track, in pixels; smaller ones
    /// continue tracks. The one size in pixels: how small a face is worth a track is the caller's wish, and a track
    /// should not come and go as a box wavers around it. 0 starts tracks of any size.
    pub new_min_side_px: f32,
    /// Least overlap (intersection over union) of the predicted box and a detection of high score, 0 to 1. Higher
    /// avoids swaps between neighbours; what falls below is left to `reach`.
    pub min_iou: f32,
    /// Least overlap for detections of low score. Higher is safer; the score already says that the box is poor.
    pub second_min_iou: f32,
    /// How long a lost track can be found again. Longer bridges occlusions; too long and another person at the same
    /// place inherits the track. Tracking ends at the sooner of this and `max_gap_sec`.
    pub buffer_sec: f64,
    /// Longest time between two sightings of one track, whatever the buffer: a promise about the result.
    pub max_gap_sec: f64,
    /// How long a track that was seen only once waits for its second sighting. Longer finds flickering faces again;
    /// shorter keeps a stray false detection from catching a face that comes by later. Where the caller looks less
    /// often than this, no two sightings join.
    pub probation_sec: f64,
    /// The association beyond overlap; `None` leaves it out, as ByteTrack does.
    pub reach: Option<ReachParams>,
    /// The filter's noise.
    pub motion: MotionParams,
}

/// Association by distance, for faces that move by their own size between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReachParams {
    /// Distance allowed at once between predicted and seen centre, in sizes of the face.
    pub at_once: f32,
    /// How much further for each second since the last sighting. Higher follows faster faces; too high and one
    /// person's track jumps to the neighbour when the person leaves.
    pub per_sec: f32,
    /// Limit of the two together.
    pub at_most: f32,
    /// Largest ratio of the two sizes, 1 or more: a face does not double between two looks, another face may.
    pub max_size_ratio: f32,
    /// How much clearer the chosen pairing must be than exchanging it with a rival's, 0 to 1. Higher starts a new
    /// track in a close call, lower risks a swap.
    pub clear_by: f32,
}

/// Noise of the motion model, in sizes of the face. Only the ratios to `measurement_std` matter to the prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionParams {
    /// Error of a detected box.
    pub measurement_std: f64,
    /// Error of the first box, before anything is known.
    pub first_std: f64,
    /// Speed of a face seen for the first time, sizes a second. Higher believes the first displacement.
    pub initial_speed_std: f64,
    /// Drift of place in sizes per root second. Higher follows detections closely, lower smoothes.
    pub position_walk: f64,
    /// Drift of velocity in sizes a second per root second. Higher turns quickly, lower coasts through noise.
    pub velocity_walk: f64,
}

impl Default for TrackerParams {
    fn default() -> Self {
        Self {
            high_thresh: 0.6,
            low_thresh: 0.3,
            new_thresh: 0.7,
            new_min_side_px: 0.0,
            min_iou: 0.1,
            second_min_iou: 0.5,
            buffer_sec: 3.75,
            max_gap_sec: 2.0,
            probation_sec: 1.5,
            reach: Some(ReachParams {
                at_once: 0.4,
                per_sec: 4.0,
                at_most: 1.5,
                max_size_ratio: 1.6,
                clear_by: 0.1,
            }),
            motion: MotionParams {
                measurement_std: 0.1,
                first_std: 0.1,
                initial_speed_std: 1.0,
                position_walk: 0.2,
                velocity_walk: 1.0,
            },
        }
    }
}

impl TrackerParams {
    /// Textbook ByteTrack (Zhang et al., ECCV 2022) at `fps` updates a second, for comparison: no reach, a constant
    /// velocity whose noise is a fixed amount a frame, one second of buffer.
    #[must_use]
    pub fn reference_bytetrack(fps: f64) -> Self {
        Self {
            high_thresh: 0.6,
            low_thresh: 0.0,
            new_thresh: 0.7,
            new_min_side_px: 0.0,
            min_iou: 0.1,
            second_min_iou: 0.1,
            // A track may miss one second's updates, rounded up, and be found at the next; half an update of slack
            // keeps rounded times out of the comparison.
            buffer_sec: (fps.ceil() + 1.5) / fps,
            max_gap_sec: (fps.ceil() + 1.5) / fps,
            probation_sec: 1.5 / fps,
            reach: None,
            // Variances in pixels, of which only the ratios matter: 0.1 of a measurement, 1 of the first box and of the
            // first speed a frame, 0.01 a frame of drift in velocity and in place; the drift in velocity brings a
            // third of the latter along.
            motion: MotionParams {
                measurement_std: 0.1_f64.sqrt(),
                first_std: 1.0,
                initial_speed_std: fps,
                position_walk: (0.02 * fps / 3.0).sqrt(),
                velocity_walk: 0.1 * fps * fps.sqrt(),
            },
        }
    }

    /// Refuses what is no threshold, time, distance or noise.
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        let share = |name, value: f32| check(name, f64::from(value), 0.0..=1.0, "between 0 and 1");
        let amount = |name, value: f64| check(name, value, 0.0..=f64::MAX, "finite and not negative");
        share("high_thresh", self.high_thresh)?;
        let high = f64::from(self.high_thresh);
        check("low_thresh", f64::from(self.low_thresh), 0.0..=high, "between 0 and high_thresh")?;
        check("new_thresh", f64::from(self.new_thresh), high..=1.0, "between high_thresh and 1")?;
        amount("new_min_side_px", f64::from(self.new_min_side_px))?;
        share("min_iou", self.min_iou)?;
        share("second_min_iou", self.second_min_iou)?;
        amount("buffer_sec", self.buffer_sec)?;
        amount("max_gap_sec", self.max_gap_sec)?;
        amount("probation_sec", self.probation_sec)?;
        if let Some(reach) = &self.reach {
            amount("reach.at_once", f64::from(reach.at_once))?;
            amount("reach.per_sec", f64::from(reach.per_sec))?;
            amount("reach.at_most", f64::from(reach.at_most))?;
            check(
                "reach.max_size_ratio",
                f64::from(reach.max_size_ratio),
                1.0..=f64::MAX,
                "finite, 1 or more",
            )?;
            share("reach.clear_by", reach.clear_by)?;
        }
        let motion = &self.motion;
        let positive = f64::MIN_POSITIVE..=f64::MAX;
        check("motion.measurement_std", motion.measurement_std, positive, "finite and more than 0")?;
        amount("motion.first_std", motion.first_std)?;
        amount("motion.initial_speed_std", motion.initial_speed_std)?;
        amount("motion.position_walk", motion.position_walk)?;
        amount("motion.velocity_walk", motion.velocity_walk)
    }
}

fn check(
    name: &'static str,
    value: f64,
    range: RangeInclusive<f64>,
    expected: &'static str,
) -> Result<(), ParamsError> {
    if range.contains(&value) { Ok(()) } else { Err(ParamsError { name, value, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_in_range() {
        assert_eq!(TrackerParams::default().validate(), Ok(()));
        for fps in [1.0, 4.0, 24.0, 60.0] {
            assert_eq!(TrackerParams::reference_bytetrack(fps).validate(), Ok(()));
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_name() {
        let default = TrackerParams::default();
        let refused = |params: TrackerParams| params.validate().unwrap_err().name;
        assert_eq!(refused(TrackerParams { low_thresh: 0.65, ..default }), "low_thresh");
        assert_eq!(refused(TrackerParams { new_thresh: 0.5, ..default }), "new_thresh");
        assert_eq!(refused(TrackerParams { min_iou: f32::NAN, ..default }), "min_iou");
        assert_eq!(refused(TrackerParams { max_gap_sec: f64::INFINITY, ..default }), "max_gap_sec");
        let motion = MotionParams { measurement_std: 0.0, ..default.motion };
        assert_eq!(refused(TrackerParams { motion, ..default }), "motion.measurement_std");
        assert_eq!(refused(TrackerParams::reference_bytetrack(0.0)), "buffer_sec");
    }
}
