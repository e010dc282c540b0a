//! Where an actor is at each moment.
//!
//! All of it is plain f64 arithmetic (no sine: libraries differ in its last digit), so that the ground truth is the same on
//! every machine.

/// Where a face is and how large. Places are fractions of the frame's width and height, so that a film looks the same
/// at any size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pose {
    /// Middle of the face, 0 (left edge) to 1; beyond when outside.
    pub(crate) x: f64,
    /// Middle of the face, 0 (upper edge) to 1.
    pub(crate) y: f64,
    /// Height of the face as a fraction of the frame's.
    pub(crate) height: f64,
    /// Tangent of half the angle by which the head is tilted; positive is clockwise.
    pub(crate) tilt: f64,
}

/// A place to be at a time, in seconds from the shot's start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Key {
    pub(crate) at_sec: f64,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) height: f64,
}

/// The small movement of people who stand or walk: a slow nod and sway around the path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sway {
    /// Reach to each side in face heights.
    pub(crate) reach: f64,
    pub(crate) period_sec: f64,
    /// Part of the period that has passed at the shot's start, 0 to 1.
    pub(crate) phase: f64,
    /// Largest tilt, as in [`Pose::tilt`].
    pub(crate) tilt: f64,
}

/// Straight lines between keys, with sway.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    /// In order of time; never empty. Before the first and after the last the actor stays there.
    pub(crate) keys: Vec<Key>,
    pub(crate) sway: Sway,
}

impl Path {
    /// The pose `t_sec` seconds into the shot, in a frame `aspect` times as wide as high.
    pub(crate) fn pose(&self, t_sec: f64, aspect: f64) -> Pose {
        let Key { x, y, height, .. } = self.place(t_sec);
        let turn = self.sway.phase + t_sec / self.sway.period_sec;
        let reach = self.sway.reach * height;
        Pose {
            x: x + reach * wave(turn) / aspect,
            y: y + 0.5 * reach * wave(2.0 * turn + 0.25),
            height,
            tilt: self.sway.tilt * wave(0.5 * turn),
        }
    }

    fn place(&self, t_sec: f64) -> Key {
        let after = self.keys.partition_point(|k| k.at_sec <= t_sec);
        let last = self.keys.len() - 1;
        let (from, to) = (self.keys[after.saturating_sub(1)], self.keys[after.min(last)]);
        if to.at_sec <= from.at_sec {
            return from;
        }
        let part = ((t_sec - from.at_sec) / (to.at_sec - from.at_sec)).clamp(0.0, 1.0);
        let mix = |a: f64, b: f64| a + (b - a) * part;
        Key { at_sec: t_sec, x: mix(from.x, to.x), y: mix(from.y, to.y), height: mix(from.height, to.height) }
    }
}

/// A smooth wave between -1 and 1 with period 1, from parabolas: what a sine looks like, without one.
pub(crate) fn wave(turns: f64) -> f64 {
    let phase = turns - turns.floor();
    let (half, sign) = if phase < 0.5 { (phase, 1.0) } else { (phase - 0.5, -1.0) };
    sign * 16.0 * half * (0.5 - half)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smoothstep(low: f64, high: f64, v: f64) -> f64 {
    let part = ((v - low) / (high - low)).clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Sway = Sway { reach: 0.0, period_sec: 1.0, phase: 0.0, tilt: 0.0 };

    #[test]
    fn an_actor_is_at_each_key_in_time_and_halfway_between() {
        let key = |at_sec, x| Key { at_sec, x, y: 0.5, height: 0.2 };
        let path = Path { keys: vec![key(1.0, 0.2), key(2.0, 0.6)], sway: STILL };
        for (t, x) in [(0.0, 0.2), (1.0, 0.2), (1.5, 0.4), (2.0, 0.6), (9.0, 0.6)] {
            assert!((path.pose(t, 16.0 / 9.0).x - x).abs() < 1e-12, "at {t} s");
        }
    }

    #[test]
    fn the_wave_is_smooth_and_bounded() {
        let values: Vec<f64> = (0..=1000).map(|i| wave(f64::from(i) / 500.0)).collect();
        assert!(values.iter().all(|v| v.abs() <= 1.0));
        assert!(values.windows(2).all(|p| (p[1] - p[0]).abs() < 0.02));
    }
}
