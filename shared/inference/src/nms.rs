//! Non-maximum suppression: one candidate a face.

use crate::Candidate;

/// Sorts candidates by confidence, the best first (equals stay in order), and drops each that overlaps a better one by
/// more than `iou`.
pub(crate) fn suppress(mut candidates: Vec<Candidate>, iou: f32) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|k| overlap(&k.corners, &candidate.corners) <= iou) {
            kept.push(candidate);
        }
    }
    kept
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let w = a[2].min(b[2]) - a[0].max(b[0]);
    let h = a[3].min(b[3]) - a[1].max(b[1]);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    let area = |c: &[f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let inter = w * h;
    inter / (area(a) + area(b) - inter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::{Landmarks, Point};

    fn candidate(corners: [f32; 4], confidence: f32) -> Candidate {
        Candidate { corners, confidence, landmarks: Landmarks([Point { x: 0.0, y: 0.0 }; 5]) }
    }

    #[test]
    fn of_two_that_overlap_the_surer_one_stays() {
        let weak = candidate([0.0, 0.0, 10.0, 10.0], 0.7);
        let strong = candidate([1.0, 0.0, 11.0, 10.0], 0.9);
        let apart = candidate([50.0, 0.0, 60.0, 10.0], 0.6);
        let kept = suppress(vec![weak, strong.clone(), apart.clone()], 0.3);
        assert_eq!(kept, [strong, apart]);
    }

    #[test]
    fn equal_confidences_keep_their_order() {
        let all: Vec<_> =
            (0..5).map(|i| candidate([20.0 * i as f32, 0.0, 20.0 * i as f32 + 9.0, 9.0], 0.8)).collect();
        assert_eq!(suppress(all.clone(), 0.3), all);
    }

    #[test]
    fn a_box_that_only_touches_the_limit_stays() {
        let a = candidate([0.0, 0.0, 10.0, 10.0], 0.9);
        let b = candidate([5.0, 0.0, 15.0, 10.0], 0.8);
        assert_eq!(suppress(vec![a.clone(), b.clone()], 1.0 / 3.0 + 1e-6).len(), 2);
        assert_eq!(suppress(vec![a, b], 0.33).len(), 1);
    }
}
