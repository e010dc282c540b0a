//! An actor: a person on a path, and the geometry of head and body that both the painter and the truth use.

use std::sync::Arc;

use crate::cast::FacePhoto;
use crate::path::{Path, Pose, smoothstep};

/// Whether a photo is shown as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facing {
    AsPhotographed,
    Mirrored,
}

/// A person in a shot.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// Number of the ground truth's track, from 1.
    pub(crate) track: u32,
    pub(crate) person: Arc<FacePhoto>,
    pub(crate) facing: Facing,
    pub(crate) path: Path,
    /// Colour of the clothes.
    pub(crate) clothes: [u8; 3],
}

/// An actor at a moment, in pixels of the frame: a similarity transform of the photo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement<'a> {
    person: &'a FacePhoto,
    center: [f64; 2],
    /// Frame pixels per photo pixel.
    pub(crate) scale: f64,
    /// Height of the face in frame pixels.
    pub(crate) face_height: f64,
    /// Photo pixels per frame pixel: the inner loop multiplies.
    inverse_scale: f64,
    cos: f64,
    sin: f64,
    flip: f64,
}

impl<'a> Placement<'a> {
    pub(crate) fn new(actor: &'a Actor, pose: Pose, frame: [f64; 2]) -> Self {
        let face_height = pose.height * frame[1];
        let half_angle_sq = pose.tilt * pose.tilt;
        Self {
            person: &actor.person,
            center: [pose.x * frame[0], pose.y * frame[1]],
            scale: face_height / actor.person.face[3],
            face_height,
            inverse_scale: actor.person.face[3] / face_height,
            cos: (1.0 - half_angle_sq) / (1.0 + half_angle_sq),
            sin: 2.0 * pose.tilt / (1.0 + half_angle_sq),
            flip: if actor.facing == Facing::Mirrored { -1.0 } else { 1.0 },
        }
    }

    /// The same, so many pixels to the right and down.
    pub(crate) fn moved(self, [right, down]: [i32; 2]) -> Self {
        let [x, y] = self.center;
        Self { center: [x + f64::from(right), y + f64::from(down)], ..self }
    }

    /// Where a point of the photo is in the frame.
    pub(crate) fn to_frame(self, [px, py]: [f64; 2]) -> [f64; 2] {
        let [fx, fy] = self.person.face_center();
        let (u, v) = (self.flip * (px - fx) * self.scale, (py - fy) * self.scale);
        [self.center[0] + self.cos * u - self.sin * v, self.center[1] + self.sin * u + self.cos * v]
    }

    /// Which point of the photo is seen at a point of the frame.
    pub(crate) fn to_photo(self, [qx, qy]: [f64; 2]) -> [f64; 2] {
        let [fx, fy] = self.person.face_center();
        let (dx, dy) =
            ((qx - self.center[0]) * self.inverse_scale, (qy - self.center[1]) * self.inverse_scale);
        let (u, v) = (self.cos * dx + self.sin * dy, self.cos * dy - self.sin * dx);
        [fx + self.flip * u, fy + v]
    }

    /// Corners of the face's box, upright also where the head is tilted, as detectors report it.
    pub(crate) fn face_box(&self) -> [f64; 4] {
        let [_, _, w, h] = self.person.face;
        let (half_w, half_h) = (w * self.scale / 2.0, h * self.scale / 2.0);
        let [x, y] = self.center;
        [x - half_w, y - half_h, x + half_w, y + half_h]
    }

    /// Five points in the frame, the image's left ones first also where the photo is mirrored.
    pub(crate) fn landmarks(&self) -> [[f64; 2]; 5] {
        let [eye_l, eye_r, nose, mouth_l, mouth_r] = self.person.landmarks.map(|p| self.to_frame(p));
        if self.flip < 0.0 {
            [eye_r, eye_l, nose, mouth_r, mouth_l]
        } else {
            [eye_l, eye_r, nose, mouth_l, mouth_r]
        }
    }

    /// Corners around the cut-out head.
    pub(crate) fn head_box(&self) -> [f64; 4] {
        let [ox, oy, rx, ry] = self.person.oval;
        let [x, y] = self.to_frame([ox, oy]);
        let reach = self.scale * rx.max(ry);
        [x - reach, y - reach, x + reach, y + reach]
    }

    /// A frame point relative to the body: face heights right of and below the middle of the face.
    pub(crate) fn body_point(&self, [qx, qy]: [f64; 2]) -> [f64; 2] {
        [(qx - self.center[0]) / self.face_height, (qy - self.center[1]) / self.face_height]
    }

    /// Whether this actor hides what is behind a frame point.
    pub(crate) fn covers(&self, point: [f64; 2]) -> bool {
        let [px, py] = self.to_photo(point);
        head_opacity(self.person.oval, px, py) > 0.5 || body_opacity(self.body_point(point)) > 0.5
    }
}

/// Opacity of the cut-out head at a point of the photo: 1 inside the oval, soft at its rim.
pub(crate) fn head_opacity([ox, oy, rx, ry]: [f64; 4], px: f64, py: f64) -> f64 {
    let (u, v) = ((px - ox) / rx, (py - oy) / ry);
    1.0 - smoothstep(0.72, 1.0, u * u + v * v)
}

/// Half the width of the shoulders in face heights.
pub(crate) const SHOULDERS: f64 = 0.98;
/// Where the shoulders begin, in face heights below the middle of the face.
pub(crate) const COLLAR: f64 = 0.68;
/// Half the width of the neck in face heights.
pub(crate) const NECK: f64 = 0.27;

/// From here down, in face heights below the middle of the face, the body looks the same in every row.
pub(crate) const STRAIGHT: f64 = 1.3;

/// Opacity of the body at a point as [`Placement::body_point`] gives it.
pub(crate) fn body_opacity([x, y]: [f64; 2]) -> f64 {
    let (torso, neck) = (torso_opacity([x, y]), neck_opacity([x, y]));
    torso.max(neck)
}

/// Opacity of the clothed part.
pub(crate) fn torso_opacity([x, y]: [f64; 2]) -> f64 {
    let side = x.abs();
    let (slope, round) = ((side - 0.16).max(0.0), (side - 0.66).max(0.0));
    let top = COLLAR + 0.26 * slope + 3.0 * round * round;
    smoothstep(top - 0.01, top + 0.02, y) * (1.0 - smoothstep(SHOULDERS - 0.03, SHOULDERS, side))
}

/// Opacity of the neck.
pub(crate) fn neck_opacity([x, y]: [f64; 2]) -> f64 {
    let side = 1.0 - smoothstep(NECK - 0.03, NECK, x.abs());
    side * smoothstep(0.1, 0.13, y) * (1.0 - smoothstep(COLLAR + 0.15, COLLAR + 0.2, y))
}
