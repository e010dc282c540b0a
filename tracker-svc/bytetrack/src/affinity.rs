//! How well a detection continues a track, as a gain between 0 (not at all) and 1.
//!
//! Place and size are all that counts. Appearance is absent on purpose: faces are embedded after tracking, and only
//! those chosen from finished tracks. A likeness would enter here, as a factor of the gain.

use facereel_domain::geometry::BBox;

use crate::params::ReachParams;

/// Where a track should be by now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The filter's box.
    pub(crate) bbox: BBox,
    /// Time since the track was last seen.
    pub(crate) unseen_sec: f64,
}

/// Overlap: intersection over union, or 0 below `min_iou`.
pub(crate) fn overlap(expected: &Expected, seen: &BBox, min_iou: f32) -> f64 {
    let iou = expected.bbox.iou(seen);
    if iou >= min_iou { f64::from(iou) } else { 0.0 }
}

/// Nearness: 1 at the expected place, falling to 0 at the limit of reach; 0 where the sizes do not agree.
pub(crate) fn nearness(expected: &Expected, seen: &BBox, params: &ReachParams) -> f64 {
    let (size, seen_size) = (expected.bbox.area().sqrt(), seen.area().sqrt());
    if size.max(seen_size) > size.min(seen_size) * params.max_size_ratio {
        return 0.0;
    }
    let (from, to) = (expected.bbox.center(), seen.center());
    let distance = (to.x - from.x).hypot(to.y - from.y) / f32::midpoint(size, seen_size);
    let limit = (params.at_once + params.per_sec * expected.unseen_sec as f32).min(params.at_most);
    f64::from(1.0 - distance / limit).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::TrackerParams;

    fn square(x: f32, side: f32) -> BBox {
        BBox::from_xyxy([x - side / 2.0, 0.0, x + side / 2.0, side]).unwrap()
    }

    fn reach() -> ReachParams {
        TrackerParams::default().reach.unwrap()
    }

    #[test]
    fn overlap_below_the_least_counts_as_none() {
        let expected = Expected { bbox: square(0.0, 100.0), unseen_sec: 0.25 };
        assert!(overlap(&expected, &square(50.0, 100.0), 0.3) > 0.33);
        assert!(overlap(&expected, &square(50.0, 100.0), 0.4).abs() < f64::EPSILON);
    }

    #[test]
    fn reach_grows_with_time_up_to_its_limit() {
        let near = |unseen_sec: f64, x: f32| {
            nearness(&Expected { bbox: square(0.0, 100.0), unseen_sec }, &square(x, 100.0), &reach()) > 0.0
        };
        assert!(!near(0.04, 120.0), "no face moves 1.2 sizes in a frame");
        assert!(near(0.25, 120.0));
        assert!(!near(60.0, 1.01 * 100.0 * reach().at_most));
    }

    #[test]
    fn a_face_of_another_size_is_not_near() {
        let expected = Expected { bbox: square(0.0, 100.0), unseen_sec: 0.25 };
        assert!(nearness(&expected, &square(0.0, 150.0), &reach()) > 0.0);
        assert!(nearness(&expected, &square(0.0, 170.0), &reach()).abs() < f64::EPSILON);
        assert!(nearness(&expected, &square(0.0, 55.0), &reach()).abs() < f64::EPSILON);
    }
}
