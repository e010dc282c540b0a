//! Head pose from five landmarks: enough to tell a frontal face from a profile, not a measurement.
//!
//! The landmarks are fitted with a weak-perspective camera over a mean face (the first step of POS, DeMenthon and Davis
//! 1995). Eyes and mouth lie almost in a plane, so that turn and nod show in where the nose tip stands before it. On real
//! faces the error is some ten degrees.

use facereel_domain::geometry::Landmarks;

/// The head's direction in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Turn to the side; positive turns towards the image's right.
    pub yaw_deg: f32,
    /// Nod; positive looks up.
    pub pitch_deg: f32,
    /// Tilt; positive is clockwise in the image.
    pub roll_deg: f32,
}

/// Half the distance between the eyes: the unit of the mean face below.
const HALF_EYES: f64 = 1.0;
/// Half the mouth's width.
const HALF_MOUTH: f64 = 0.83;
/// Nose tip below the line between the eyes.
const NOSE_DOWN: f64 = 1.16;
/// Mouth corners below the line between the eyes.
const MOUTH_DOWN: f64 = 2.31;
/// Nose tip in front of the plane of eyes and mouth.
const NOSE_FORWARD: f64 = 0.95;

/// The pose of a face with these landmarks; zero in all angles where the landmarks have no extent.
#[must_use]
pub fn from_landmarks(landmarks: &Landmarks) -> Pose {
    let points = landmarks.0.map(|p| (f64::from(p.x), f64::from(p.y)));
    let [left_eye, right_eye, nose, left_mouth, right_mouth] = points;
    let eyes = middle(left_eye, right_eye);
    let mouth = middle(left_mouth, right_mouth);

    // Least squares over the symmetric model: across from the two pairs, down from their middles.
    let weight = HALF_EYES * HALF_EYES + HALF_MOUTH * HALF_MOUTH;
    let pair = |l: (f64, f64), r: (f64, f64)| ((r.0 - l.0) / 2.0, (r.1 - l.1) / 2.0);
    let (eye_half, mouth_half) = (pair(left_eye, right_eye), pair(left_mouth, right_mouth));
    let across = (
        (HALF_EYES * eye_half.0 + HALF_MOUTH * mouth_half.0) / weight,
        (HALF_EYES * eye_half.1 + HALF_MOUTH * mouth_half.1) / weight,
    );
    let down = ((mouth.0 - eyes.0) / MOUTH_DOWN, (mouth.1 - eyes.1) / MOUTH_DOWN);
    let forward = (
        (nose.0 - eyes.0 - NOSE_DOWN * down.0) / NOSE_FORWARD,
        (nose.1 - eyes.1 - NOSE_DOWN * down.1) / NOSE_FORWARD,
    );
    let pose = angles(across, down, forward);
    if [pose.yaw_deg, pose.pitch_deg, pose.roll_deg].iter().all(|v| v.is_finite()) {
        pose
    } else {
        Pose { yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 }
    }
}

/// Angles from the images of the face's three axes. The tilt is taken from the longer of `across` and `down`, since a
/// profile has no distance between the eyes left to tell it.
fn angles(across: (f64, f64), down: (f64, f64), forward: (f64, f64)) -> Pose {
    let roll =
        if length(across) >= length(down) / 2.0 { across.1.atan2(across.0) } else { (-down.0).atan2(down.1) };
    let (sin, cos) = roll.sin_cos();
    let upright = |v: (f64, f64)| (cos * v.0 + sin * v.1, cos * v.1 - sin * v.0);
    let (across, down, forward) = (upright(across), upright(down), upright(forward));
    Pose {
        yaw_deg: forward.0.atan2(across.0.abs()).to_degrees() as f32,
        pitch_deg: (-forward.1).atan2(down.1.abs()).to_degrees() as f32,
        roll_deg: roll.to_degrees() as f32,
    }
}

fn middle(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1))
}

fn length(v: (f64, f64)) -> f64 {
    v.0.hypot(v.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::Point;
    use rstest::rstest;

    /// The mean face turned by `yaw`, nodded by `pitch`, tilted by `roll` degrees, 40 pixels a unit.
    fn face(yaw: f64, pitch: f64, roll: f64) -> Landmarks {
        let model = [
            (-HALF_EYES, 0.0, 0.0),
            (HALF_EYES, 0.0, 0.0),
            (0.0, NOSE_DOWN, NOSE_FORWARD),
            (-HALF_MOUTH, MOUTH_DOWN, 0.0),
            (HALF_MOUTH, MOUTH_DOWN, 0.0),
        ];
        let turn = |a: f64, b: f64, deg: f64| {
            let (sin, cos) = deg.to_radians().sin_cos();
            (a * cos + b * sin, b * cos - a * sin)
        };
        Landmarks(model.map(|(x, y, z)| {
            let (x, z) = turn(x, z, yaw);
            let (y, _) = turn(y, z, -pitch);
            let (x, y) = turn(x, y, -roll);
            Point { x: (200.0 + 40.0 * x) as f32, y: (150.0 + 40.0 * y) as f32 }
        }))
    }

    #[rstest]
    #[case(0.0, 0.0, 0.0)]
    #[case(30.0, 0.0, 0.0)]
    #[case(-45.0, 0.0, 10.0)]
    #[case(0.0, 20.0, 0.0)]
    #[case(0.0, -15.0, -30.0)]
    #[case(0.0, 0.0, 90.0)]
    #[case(80.0, 0.0, 20.0)]
    fn a_turned_mean_face_tells_its_angles(#[case] yaw: f64, #[case] pitch: f64, #[case] roll: f64) {
        let pose = from_landmarks(&face(yaw, pitch, roll));
        for (name, found, wanted) in
            [("yaw", pose.yaw_deg, yaw), ("pitch", pose.pitch_deg, pitch), ("roll", pose.roll_deg, roll)]
        {
            assert!((f64::from(found) - wanted).abs() < 1.0, "{name} is {found}, not {wanted}");
        }
    }

    #[test]
    fn turn_and_nod_together_are_told_apart_within_ten_degrees() {
        let pose = from_landmarks(&face(30.0, 15.0, 0.0));
        assert!((pose.yaw_deg - 30.0).abs() < 10.0 && (pose.pitch_deg - 15.0).abs() < 10.0, "{pose:?}");
    }

    #[test]
    fn the_alignment_template_is_frontal() {
        let pose = from_landmarks(&Landmarks(crate::align::TEMPLATE));
        assert!(
            pose.yaw_deg.abs() < 2.0 && pose.pitch_deg.abs() < 3.0 && pose.roll_deg.abs() < 1.0,
            "{pose:?}"
        );
    }

    #[test]
    fn points_without_extent_have_a_pose_of_zero() {
        let point = Landmarks([Point { x: 3.0, y: 4.0 }; 5]);
        assert_eq!(from_landmarks(&point), Pose { yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 });
        let nan = Landmarks([Point { x: f32::NAN, y: 4.0 }; 5]);
        assert!(from_landmarks(&nan).yaw_deg.abs() < 1e-6);
    }
}
