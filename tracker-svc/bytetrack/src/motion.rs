//! Where a face will be: a Kalman filter of constant velocity, in seconds.
//!
//! Centre and size (`cx, cy, w, h`) are four independent axes, and every noise is the same share of the box on each
//! of them. The usual 8x8 filter then falls apart into four 2x2 filters with one covariance in common, which is kept
//! here once, in units of the box's size: no matrix algebra, and a face of 30 pixels is followed as one of 600 is.
//!
//! The noise is integrated exactly over the elapsed time, so predicting in one step or in ten gives the same.

use facereel_domain::geometry::BBox;

use crate::params::MotionParams;

/// Filter state of one track.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    /// Centre x, centre y, width, height in pixels.
    position: [f64; 4],
    /// Change of `position` a second.
    velocity: [f64; 4],
    /// Covariance of one axis, in box sizes.
    covariance: Covariance,
    /// The last box seen: what the filter falls back to where its own box has no sense.
    seen: BBox,
}

#[derive(Debug, Clone, Copy)]
struct Covariance {
    position: f64,
    cross: f64,
    velocity: f64,
}

impl Motion {
    /// The state after the first sighting: at rest, its speed unknown.
    pub(crate) fn new(seen: BBox, params: &MotionParams) -> Self {
        let covariance = Covariance {
            position: params.first_std.powi(2),
            cross: 0.0,
            velocity: params.initial_speed_std.powi(2),
        };
        Self { position: axes(&seen), velocity: [0.0; 4], covariance, seen }
    }

    /// Lets `elapsed_sec` pass.
    pub(crate) fn advance(&mut self, elapsed_sec: f64, params: &MotionParams) {
        let dt = elapsed_sec.max(0.0);
        for (position, velocity) in self.position.iter_mut().zip(&self.velocity) {
            *position += dt * velocity;
        }
        let walk = params.position_walk.powi(2) * dt;
        let push = params.velocity_walk.powi(2);
        let old = self.covariance;
        self.covariance = Covariance {
            position: old.position
                + 2.0 * dt * old.cross
                + dt.powi(2) * old.velocity
                + walk
                + push * dt.powi(3) / 3.0,
            cross: old.cross + dt * old.velocity + push * dt.powi(2) / 2.0,
            velocity: old.velocity + push * dt,
        };
    }

    /// Takes in a box seen now.
    pub(crate) fn correct(&mut self, seen: BBox, params: &MotionParams) {
        let prior = self.covariance;
        let innovation = prior.position + params.measurement_std.powi(2);
        let (position_gain, velocity_gain) = (prior.position / innovation, prior.cross / innovation);
        for (axis, measured) in axes(&seen).into_iter().enumerate() {
            let residual = measured - self.position[axis];
            self.position[axis] += position_gain * residual;
            self.velocity[axis] += velocity_gain * residual;
        }
        self.covariance = Covariance {
            position: (1.0 - position_gain) * prior.position,
            cross: (1.0 - position_gain) * prior.cross,
            velocity: prior.velocity - velocity_gain * prior.cross,
        };
        self.seen = seen;
    }

    /// The box last seen.
    pub(crate) fn seen(&self) -> BBox {
        self.seen
    }

    /// The box the filter expects now; the last one seen where the expected one has shrunk to nothing or left the
    /// numbers.
    pub(crate) fn bbox(&self) -> BBox {
        let [cx, cy, w, h] = self.position;
        let corners = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
        BBox::from_xyxy(corners.map(|c| c as f32)).unwrap_or(self.seen)
    }
}

/// Centre x, centre y, width, height.
fn axes(bbox: &BBox) -> [f64; 4] {
    let [x0, y0, x1, y1] = bbox.xyxy().map(f64::from);
    [f64::midpoint(x0, x1), f64::midpoint(y0, y1), x1 - x0, y1 - y0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::TrackerParams;

    fn at(x: f32) -> BBox {
        BBox::from_xyxy([x, 0.0, x + 100.0, 120.0]).unwrap()
    }

    fn followed(steps: usize, dt: f64) -> (Motion, MotionParams) {
        let params = TrackerParams::default().motion;
        let mut motion = Motion::new(at(0.0), &params);
        for step in 1..=steps {
            motion.advance(dt, &params);
            motion.correct(at((step as f64 * dt * 80.0) as f32), &params);
        }
        (motion, params)
    }

    #[test]
    fn a_steady_walk_is_foreseen() {
        let (mut motion, params) = followed(20, 0.25);
        motion.advance(1.0, &params);
        let [x0, y0, x1, y1] = motion.bbox().xyxy();
        assert!((x0 - 480.0).abs() < 2.0 && (x1 - x0 - 100.0).abs() < 1.0, "{x0} {x1}");
        assert!(y0.abs() < 1.0 && (y1 - 120.0).abs() < 1.0);
    }

    #[test]
    fn one_long_step_equals_many_short_ones() {
        let (mut once, params) = followed(5, 0.25);
        let mut often = once.clone();
        once.advance(1.5, &params);
        for _ in 0..36 {
            often.advance(1.5 / 36.0, &params);
        }
        assert!((once.position[0] - often.position[0]).abs() < 1e-6);
        let (a, b) = (once.covariance, often.covariance);
        assert!((a.position - b.position).abs() < 1e-9);
        assert!((a.cross - b.cross).abs() < 1e-9 && (a.velocity - b.velocity).abs() < 1e-9);
    }

    #[test]
    fn a_face_that_shrinks_to_nothing_is_expected_where_it_was_last_seen() {
        let params = TrackerParams::default().motion;
        let mut motion = Motion::new(at(0.0), &params);
        for step in 1..8_i16 {
            motion.advance(0.04, &params);
            let half = 50.0 - 6.0 * f32::from(step);
            let shrunk = BBox::from_xyxy([50.0 - half, 60.0 - half, 50.0 + half, 60.0 + half]).unwrap();
            motion.correct(shrunk, &params);
        }
        motion.advance(2.0, &params);
        assert_eq!(motion.bbox(), motion.seen);
    }
}
