//! Heads with anchors, as InsightFace exports SCRFD and RetinaFace models: all levels' scores, then all boxes, then all
//! landmarks; a row per anchor, anchors of a cell side by side, distances and offsets in units of the stride.

use facereel_domain::geometry::{Landmarks, Point, Size};

use super::{Candidate, Head, cells};
use crate::session::{ShapeMismatch, TensorView};
use crate::spec::AnchorGrid;

pub(super) struct AnchorHead {
    grid: AnchorGrid,
}

impl AnchorHead {
    pub(super) fn new(grid: AnchorGrid) -> Self {
        Self { grid }
    }
}

impl Head for AnchorHead {
    fn output_count(&self) -> usize {
        3 * self.grid.strides.len()
    }

    fn input_multiple(&self) -> u32 {
        self.grid.strides.iter().copied().max().unwrap_or(1).max(32)
    }

    fn decode(
        &self,
        outputs: &[TensorView<'_>],
        input: Size,
        floor: f32,
    ) -> Result<Vec<Candidate>, ShapeMismatch> {
        let levels = self.grid.strides.len();
        let anchors = self.grid.anchors_per_cell as usize;
        let mut found = Vec::new();
        for (level, &stride) in self.grid.strides.iter().enumerate() {
            let (columns, rows) = cells(input, stride);
            let count = columns * rows * anchors;
            let part = |group: usize, width: usize| {
                let name = ["scores", "boxes", "landmarks"][group];
                outputs[group * levels + level].rows(count, width).map_err(|m| m.at(name, stride))
            };
            let (scores, sides, points) = (part(0, 1)?, part(1, 4)?, part(2, 10)?);
            for (row, &confidence) in scores.iter().enumerate().filter(|(_, score)| **score > floor) {
                let cell = row / anchors;
                let place = Point {
                    x: ((cell % columns) as u32 * stride) as f32,
                    y: ((cell / columns) as u32 * stride) as f32,
                };
                let (d, k) = (&sides[row * 4..row * 4 + 4], &points[row * 10..row * 10 + 10]);
                found.push(face(place, stride as f32, (d, k), confidence));
            }
        }
        Ok(found)
    }
}

/// An anchor's face: distances to left, top, right, bottom, and offsets of the landmarks.
fn face(anchor: Point, stride: f32, (d, k): (&[f32], &[f32]), confidence: f32) -> Candidate {
    let corners = [
        anchor.x - d[0] * stride,
        anchor.y - d[1] * stride,
        anchor.x + d[2] * stride,
        anchor.y + d[3] * stride,
    ];
    let landmarks = Landmarks(std::array::from_fn(|i| Point {
        x: anchor.x + k[2 * i] * stride,
        y: anchor.y + k[2 * i + 1] * stride,
    }));
    Candidate { corners, confidence, landmarks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::{Output, views};

    const INPUT: Size = Size { width: 64, height: 32 };

    fn head() -> AnchorHead {
        AnchorHead::new(AnchorGrid { strides: vec![8, 16, 32], anchors_per_cell: 2 })
    }

    /// Outputs without a batch dimension, as `det_10g` has them.
    fn empty() -> Vec<Output> {
        [1, 4, 10]
            .into_iter()
            .flat_map(|width| [64, 16, 4].map(|rows| Output::zeros(&[rows, width])))
            .collect()
    }

    #[test]
    fn an_anchor_becomes_a_face_in_pixels() {
        let mut outputs = empty();
        // Stride 16, 4 x 2 cells, 2 anchors: row 13 is the second anchor of cell 6, column 2, row 1.
        outputs[1].data[13] = 0.75;
        outputs[4].data[52..56].copy_from_slice(&[1.0, 0.5, 2.0, 1.5]);
        outputs[7].data[130..132].copy_from_slice(&[-0.25, 0.25]);
        let faces = head().decode(&views(&outputs), INPUT, 0.5).unwrap();
        let [face] = &faces[..] else { panic!("{faces:?}") };
        assert!((face.confidence - 0.75).abs() < 1e-6);
        assert_eq!(face.corners.map(|v| v.round() as i32), [16, 8, 64, 40]);
        assert_eq!(face.landmarks.0[0], Point { x: 28.0, y: 20.0 });
        assert_eq!(face.landmarks.0[1], Point { x: 32.0, y: 16.0 });
    }

    #[test]
    fn outputs_with_a_batch_dimension_read_the_same() {
        let mut outputs = empty();
        outputs[0].data[5] = 0.9;
        let flat = head().decode(&views(&outputs), INPUT, 0.5).unwrap();
        for output in &mut outputs {
            output.shape.insert(0, 1);
        }
        assert_eq!(head().decode(&views(&outputs), INPUT, 0.5).unwrap(), flat);
    }

    #[test]
    fn a_head_with_one_anchor_does_not_read_a_model_with_two() {
        let wrong = AnchorHead::new(AnchorGrid { strides: vec![8, 16, 32], anchors_per_cell: 1 });
        let error = wrong.decode(&views(&empty()), INPUT, 0.5).unwrap_err();
        assert_eq!(error.place, "scores at stride 8");
        assert_eq!(error.expected, "32 rows of 1");
    }

    #[test]
    fn inputs_are_padded_to_the_coarsest_stride() {
        let five = AnchorHead::new(AnchorGrid { strides: vec![8, 16, 32, 64, 128], anchors_per_cell: 1 });
        assert_eq!((head().input_multiple(), five.input_multiple()), (32, 128));
    }
}
