//! The ground truth: which faces a frame shows, computed from the same placements that are painted.

use facereel_domain::geometry::{BBox, Landmarks, Point, Size};

use crate::actor::Placement;
use crate::storyboard::Shot;

/// A face in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceTruth {
    /// One track for each person and shot, from 1; somebody who leaves and comes back in a shot keeps it.
    pub track: u32,
    /// Who it is.
    pub identity: String,
    /// The photo that was used.
    pub photo: String,
    /// The part of the box inside the frame, in frame pixels.
    pub bbox: BBox,
    /// Five points; they may lie outside of the frame.
    pub landmarks: Landmarks,
    /// Part of the whole face's box that can be seen, 0.1 to 1: inside the frame, not behind somebody, times what a
    /// fade or a flash leaves.
    pub visibility: f64,
}

/// Faces less visible than this are not part of the truth.
const LEAST_VISIBILITY: f64 = 0.1;

/// Points across and down a box at which its visibility is sampled.
const PROBES: usize = 16;

/// Where every actor of `shot` is `t_sec` after its start, in a frame of `size`; in the order of `shot.actors`.
pub(crate) fn placements(shot: &Shot, t_sec: f64, size: Size) -> Vec<Placement<'_>> {
    let frame = [f64::from(size.width), f64::from(size.height)];
    let shown_sec = shot.effects.shown_sec(t_sec);
    let shift = shot.effects.shake.shift_px(shown_sec, size.height);
    shot.actors
        .iter()
        .map(|a| Placement::new(a, a.path.pose(shown_sec, frame[0] / frame[1]), frame).moved(shift))
        .collect()
}

/// The faces of `shot` that can be seen `t_sec` after its start, by track.
pub(crate) fn faces(shot: &Shot, t_sec: f64, size: Size) -> Vec<FaceTruth> {
    let placed = placements(shot, t_sec, size);
    let left_by_light = shot.effects.exposure(t_sec, shot.length_sec).visibility();
    let mut faces = Vec::with_capacity(placed.len());
    for (i, actor) in shot.actors.iter().enumerate() {
        let visibility = left_by_light * unhidden(&placed[i], &placed[i + 1..], size);
        let Ok(bbox) = BBox::from_xyxy_in(placed[i].face_box().map(|v| v as f32), size) else { continue };
        if visibility >= LEAST_VISIBILITY {
            faces.push(FaceTruth {
                track: actor.track,
                identity: actor.person.identity.clone(),
                photo: actor.person.photo.clone(),
                bbox,
                landmarks: Landmarks(placed[i].landmarks().map(|[x, y]| Point { x: x as f32, y: y as f32 })),
                visibility,
            });
        }
    }
    faces.sort_by_key(|f| f.track);
    faces
}

/// Part of a face's box that is inside the frame and not covered by those who stand in front.
fn unhidden(face: &Placement<'_>, in_front: &[Placement<'_>], size: Size) -> f64 {
    let [x0, y0, x1, y1] = face.face_box();
    let step = |i: usize| (i as f64 + 0.5) / PROBES as f64;
    let seen = (0..PROBES * PROBES)
        .map(|i| [x0 + (x1 - x0) * step(i % PROBES), y0 + (y1 - y0) * step(i / PROBES)])
        .filter(|&[x, y]| {
            let inside = x >= 0.0 && y >= 0.0 && x < f64::from(size.width) && y < f64::from(size.height);
            inside && !in_front.iter().any(|nearer| nearer.covers([x, y]))
        })
        .count();
    seen as f64 / (PROBES * PROBES) as f64
}
