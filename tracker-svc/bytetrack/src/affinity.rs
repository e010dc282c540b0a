//! How well a detection continues a track, as a gain between 0 (not at all) and 1.
//!
//! Place and size are all that counts. Appearance is absent on purpose: faces are embedded after tracking, and only
//! those chosen from finished tracks. A likeness would enter here, as a factor of the gain.

use facereel_domain::geometry::BBox;

use crate::params::ReachParams;

/// How much the place of the look just before counts against the expected one: most people go on as they did.
const TURNING: f64 = 0.5;

/// Where a track should be by now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The filter's box: the face goes on as it did.
    pub(crate) bbox: BBox,
    /// The box of the look just before, if the track was seen then: the face may have stopped or turned round since.
    pub(crate) just_seen: Option<BBox>,
    /// Time since the track was last seen.
    pub(crate) unseen_sec: f64,
}

/// Overlap: intersection over union, or 0 below `min_iou`.
pub(crate) fn overlap(expected: &Expected, seen: &BBox, min_iou: f32) -> f64 {
    let iou = expected.bbox.iou(seen);
    if iou >= min_iou { f64::from(iou) } else { 0.0 }
}

/// Nearness: 1 at the expected place or that of the look just before, falling to 0 at the limit of reach; 0 where the
/// sizes do not agree. Between two looks who runs may stop or turn, and prediction alone would look on the wrong side.
/// After a longer absence only the prediction counts: whoever stands at the old place by then may be somebody else.
pub(crate) fn nearness(expected: &Expected, seen: &BBox, params: &ReachParams) -> f64 {
    let limit = (params.at_once + params.per_sec * expected.unseen_sec as f32).min(params.at_most);
    let from = |bbox: &BBox| {
        distance(bbox, seen, params.max_size_ratio).map_or(0.0, |d| f64::from(1.0 - d / limit).max(0.0))
    };
    let turned = expected.just_seen.as_ref().map_or(0.0, |place| TURNING * from(place));
    from(&expected.bbox).max(turned)
}

/// Distance of the centres of two boxes in their mean size; none where one is larger by more than `max_size_ratio`.
fn distance(a: &BBox, b: &BBox, max_size_ratio: f32) -> Option<f32> {
    let (size, other) = (a.area().sqrt(), b.area().sqrt());
    let (from, to) = (a.center(), b.center());
    let distance = (to.x - from.x).hypot(to.y - from.y) / f32::midpoint(size, other);
    (size.max(other) <= size.min(other) * max_size_ratio).then_some(distance)
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

    /// A face at rest.
    fn standing(unseen_sec: f64) -> Expected {
        Expected { bbox: square(0.0, 100.0), just_seen: Some(square(0.0, 100.0)), unseen_sec }
    }

    #[test]
    fn overlap_below_the_least_counts_as_none() {
        let expected = standing(0.25);
        assert!(overlap(&expected, &square(50.0, 100.0), 0.3) > 0.33);
        assert!(overlap(&expected, &square(50.0, 100.0), 0.4).abs() < f64::EPSILON);
    }

    #[test]
    fn reach_grows_with_time_up_to_its_limit() {
        let near =
            |unseen_sec: f64, x: f32| nearness(&standing(unseen_sec), &square(x, 100.0), &reach()) > 0.0;
        assert!(!near(0.04, 120.0), "no face moves 1.2 sizes in a frame");
        assert!(near(0.25, 120.0));
        assert!(!near(60.0, 1.01 * 100.0 * reach().at_most));
    }

    #[test]
    fn a_face_of_another_size_is_not_near() {
        let expected = standing(0.25);
        assert!(nearness(&expected, &square(0.0, 150.0), &reach()) > 0.0);
        assert!(nearness(&expected, &square(0.0, 170.0), &reach()).abs() < f64::EPSILON);
        assert!(nearness(&expected, &square(0.0, 55.0), &reach()).abs() < f64::EPSILON);
    }

    #[test]
    fn a_runner_who_turns_round_is_near_the_place_last_seen() {
        let runner = Expected { bbox: square(100.0, 100.0), ..standing(0.25) };
        assert!(nearness(&runner, &square(-90.0, 100.0), &reach()) > 0.0);
        assert!(nearness(&runner, &square(180.0, 100.0), &reach()) > 0.0);
        assert!(nearness(&runner, &square(-150.0, 100.0), &reach()).abs() < f64::EPSILON);
        let missed_a_look = Expected { just_seen: None, ..runner };
        assert!(nearness(&missed_a_look, &square(-90.0, 100.0), &reach()).abs() < f64::EPSILON);
    }
}
