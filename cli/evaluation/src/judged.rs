//! Which faces count, and which boxes are excused.
//!
//! A face that is too small or too hidden to be asked for is *ignored*: nobody has to find it, and a box on it is no
//! mistake. So each frame is paired once with all faces, boxes on ignored faces go, and the measures see the rest.

use facereel_domain::geometry::BBox;

use crate::formats::{ByFrame, TrueFace};
use crate::sequence::{Identified, Sequence};

/// Least overlap at which a box is on a face.
const LEAST_OVERLAP: f64 = 0.5;

/// Which true faces are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    /// Faces with a shorter side below this are ignored, pixels of the source.
    pub min_px: f32,
    /// Faces of which less can be seen are ignored, 0 to 1.
    pub min_visibility: f64,
}

impl Demands {
    fn ask_for(&self, face: &TrueFace) -> bool {
        face.seen.bbox.short_side() >= self.min_px && face.visibility >= self.min_visibility
    }
}

/// A true face that was asked for, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// From 0.
    pub frame: u64,
    /// Its track.
    pub truth: u32,
    /// Where it is.
    pub bbox: BBox,
    /// The track of the box on it; none where it was missed.
    pub found: Option<u32>,
}

/// A comparison of results with the truth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// What the measures look at.
    pub sequence: Sequence,
    /// All faces that were asked for, in order of time.
    pub outcomes: Vec<Outcome>,
    /// Boxes on faces that nobody asked for.
    pub excused: u64,
    /// Boxes where no face is.
    pub extras: u64,
}

/// Compares the boxes `found` with the `truth` in the frames that were `judged`, ascending.
#[must_use]
pub fn compare(
    truth: &ByFrame<TrueFace>,
    found: &ByFrame<Identified>,
    (judged, demands): (&[u64], &Demands),
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut frames = Vec::with_capacity(judged.len());
    for frame in judged {
        // In order of their ids, so that equal overlaps are settled alike whatever the order of rows.
        let mut faces = truth.get(frame).cloned().unwrap_or_default();
        let mut boxes = found.get(frame).cloned().unwrap_or_default();
        faces.sort_by_key(|face| face.seen.id);
        boxes.sort_by_key(|found| found.id);
        frames.push(comparison.add_frame(*frame, &faces, (&boxes, demands)));
    }
    comparison.sequence = Sequence::new(frames);
    comparison
}

impl Comparison {
    /// Counts a frame, and returns the faces that are asked for and the boxes that are judged.
    fn add_frame(
        &mut self,
        frame: u64,
        faces: &[TrueFace],
        (boxes, demands): (&[Identified], &Demands),
    ) -> (Vec<Identified>, Vec<Identified>) {
        let face_of = faces_under(faces, boxes);
        let is_excused = |place: &usize| face_of[*place].is_some_and(|f| !demands.ask_for(&faces[f]));
        let kept: Vec<usize> = (0..boxes.len()).filter(|place| !is_excused(place)).collect();
        self.excused += (boxes.len() - kept.len()) as u64;
        self.extras += kept.iter().filter(|place| face_of[**place].is_none()).count() as u64;
        let mut asked = Vec::new();
        for (place, face) in faces.iter().enumerate().filter(|(_, face)| demands.ask_for(face)) {
            let found = face_of.iter().position(|f| *f == Some(place)).map(|b| boxes[b].id);
            let Identified { id: truth, bbox } = face.seen;
            self.outcomes.push(Outcome { frame, truth, bbox, found });
            asked.push(face.seen);
        }
        (asked, kept.into_iter().map(|place| boxes[place]).collect())
    }
}

/// For each box the place of the face that it is on.
fn faces_under(faces: &[TrueFace], boxes: &[Identified]) -> Vec<Option<usize>> {
    let overlap = |face: usize, found: usize| {
        let overlap = f64::from(faces[face].seen.bbox.iou(&boxes[found].bbox));
        if overlap >= LEAST_OVERLAP { overlap } else { 0.0 }
    };
    let mut face_of = vec![None; boxes.len()];
    for (face, found) in crate::assignment::best_pairs((faces.len(), boxes.len()), overlap) {
        face_of[found] = Some(face);
    }
    face_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::testing::boxes;

    const ALL: Demands = Demands { min_px: 0.0, min_visibility: 0.0 };

    fn truth(frame: u64, placed: &[(u32, f32)], visibility: f64) -> ByFrame<TrueFace> {
        let faces = boxes(placed).into_iter().map(|seen| TrueFace { seen, visibility }).collect();
        ByFrame::from([(frame, faces)])
    }

    #[test]
    fn a_box_on_an_ignored_face_is_no_mistake_and_one_beside_it_is() {
        let found = ByFrame::from([(0, boxes(&[(7, 0.0), (8, 90.0)]))]);
        for demands in [Demands { min_px: 11.0, ..ALL }, Demands { min_visibility: 0.4, ..ALL }] {
            let result = compare(&truth(0, &[(1, 0.0)], 0.2), &found, (&[0], &demands));
            assert_eq!((result.excused, result.extras, result.outcomes.len()), (1, 1, 0));
            assert_eq!((result.sequence.truth_boxes(), result.sequence.found_boxes()), (0, 1));
        }
        let result = compare(&truth(0, &[(1, 0.0)], 0.2), &found, (&[0], &ALL));
        assert_eq!(result.outcomes[0].found, Some(7));
    }

    #[test]
    fn frames_that_were_not_analysed_do_not_count() {
        let found = ByFrame::from([(3, boxes(&[(7, 0.0)]))]);
        let result = compare(&truth(2, &[(1, 0.0)], 1.0), &found, (&[0, 6], &ALL));
        assert_eq!((result.outcomes.len(), result.extras), (0, 0));
    }

    #[test]
    fn the_order_of_rows_in_a_frame_does_not_settle_ties() {
        let one_place = [(8, 0.0), (7, 0.0)];
        let reversed = [(7, 0.0), (8, 0.0)];
        let results = [one_place, reversed].map(|rows| {
            let found = ByFrame::from([(0, boxes(&rows))]);
            compare(&truth(0, &[(1, 0.0)], 1.0), &found, (&[0], &ALL))
        });
        assert_eq!(results[0], results[1]);
    }
}
