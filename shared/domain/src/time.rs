//! Time as the container tells it: integer ticks (`Pts`) in units of a rational `TimeBase`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A zero or negative rational where a positive one is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{num}/{den} is no positive rational")]
pub struct RationalError {
    /// Numerator as given.
    pub num: i64,
    /// Denominator as given.
    pub den: i64,
}

/// A positive rational number, as containers give frame rates and time bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(i64, i64)", into = "(i64, i64)")]
pub struct Rational {
    num: u32,
    den: u32,
}

impl Rational {
    /// `num / den`; both must lie in 1..=2^31-1.
    pub fn new(num: i64, den: i64) -> Result<Self, RationalError> {
        let fit = |v: i64| u32::try_from(v).ok().filter(|v| (1..=i32::MAX as u32).contains(v));
        match (fit(num), fit(den)) {
            (Some(n), Some(d)) => Ok(Self { num: n, den: d }),
            _ => Err(RationalError { num, den }),
        }
    }

    /// Numerator.
    #[must_use]
    pub fn num(self) -> u32 {
        self.num
    }

    /// Denominator.
    #[must_use]
    pub fn den(self) -> u32 {
        self.den
    }

    /// `den / num`: a frame rate's frame duration.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { num: self.den, den: self.num }
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

impl TryFrom<(i64, i64)> for Rational {
    type Error = RationalError;

    fn try_from((num, den): (i64, i64)) -> Result<Self, RationalError> {
        Self::new(num, den)
    }
}

impl From<Rational> for (i64, i64) {
    fn from(r: Rational) -> Self {
        (i64::from(r.num), i64::from(r.den))
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// A presentation timestamp in ticks of the stream's time base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pts(pub i64);

/// How a stream's ticks become seconds and frame numbers.
///
/// `frame_idx = round((pts - first_pts) x nominal_fps)`, `ts = (pts - first_pts)` in seconds: the first frame of every
/// video is frame 0 at 0.0 s, whatever offset the container starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Seconds a tick.
    pub time_base: Rational,
    /// Timestamp of the first frame in presentation order.
    pub first_pts: Pts,
    /// Nominal frames a second.
    pub fps: Rational,
}

impl Timeline {
    /// Seconds from the first frame.
    #[must_use]
    pub fn seconds(&self, pts: Pts) -> f64 {
        (pts.0 - self.first_pts.0) as f64 * f64::from(self.time_base.num) / f64::from(self.time_base.den)
    }

    /// Number of the frame at `pts`, from 0; exact integer arithmetic, halves round up, before the first frame 0.
    #[must_use]
    pub fn frame_idx(&self, pts: Pts) -> u64 {
        let ticks = i128::from(pts.0) - i128::from(self.first_pts.0);
        let num = ticks * i128::from(self.time_base.num) * i128::from(self.fps.num);
        let den = i128::from(self.time_base.den) * i128::from(self.fps.den);
        let rounded = (2 * num + den).div_euclid(2 * den);
        u64::try_from(rounded.max(0)).unwrap_or(u64::MAX)
    }
}

/// A half-open range of presentation timestamps: `start <= pts < end`. No `end` means up to the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PtsRange {
    /// First timestamp inside; `None` takes in everything before `end`, also frames before the first keyframe.
    pub start: Option<Pts>,
    /// First timestamp after it.
    pub end: Option<Pts>,
}

impl PtsRange {
    /// Whether a frame at `pts` belongs to the range.
    #[must_use]
    pub fn contains(&self, pts: Pts) -> bool {
        self.start.is_none_or(|start| start <= pts) && self.end.is_none_or(|end| pts < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn timeline(first_pts: i64, fps: (i64, i64)) -> Timeline {
        Timeline {
            time_base: Rational::new(1, 24_000).unwrap(),
            first_pts: Pts(first_pts),
            fps: Rational::new(fps.0, fps.1).unwrap(),
        }
    }

    #[test]
    fn ntsc_frames_are_counted_exactly_over_hours() {
        let line = timeline(2002, (24_000, 1001));
        for frame in [0_i64, 1, 57_599, 1_000_000] {
            assert_eq!(line.frame_idx(Pts(2002 + frame * 1001)), frame as u64);
        }
        assert!((line.seconds(Pts(2002 + 24_000)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn frames_before_the_first_are_frame_zero() {
        assert_eq!(timeline(1000, (24, 1)).frame_idx(Pts(-5000)), 0);
    }

    #[test]
    fn rationals_that_would_divide_by_zero_do_not_exist() {
        assert!(Rational::new(0, 1).is_err());
        assert!(Rational::new(1, 0).is_err());
        assert!(Rational::new(-24, 1).is_err());
        assert!(serde_json::from_str::<Rational>("[1,0]").is_err());
    }

    proptest! {
        #[test]
        fn frame_numbers_never_go_back(a in -1_000_000_i64..1_000_000, b in 0_i64..1_000_000) {
            let line = timeline(0, (30_000, 1001));
            prop_assert!(line.frame_idx(Pts(a)) <= line.frame_idx(Pts(a + b)));
        }

        #[test]
        fn adjacent_ranges_share_no_timestamp(cut in any::<i64>(), pts in any::<i64>()) {
            let before = PtsRange { start: None, end: Some(Pts(cut)) };
            let after = PtsRange { start: Some(Pts(cut)), end: None };
            prop_assert!(before.contains(Pts(pts)) ^ after.contains(Pts(pts)));
        }
    }
}
