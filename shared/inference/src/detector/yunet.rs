//! YuNet's outputs: for strides 8, 16 and 32 in turn class scores, then objectness, boxes and landmarks likewise.

use facereel_domain::geometry::{Landmarks, Point, Size};

use super::{Candidate, Head, cells};
use crate::session::{ShapeMismatch, TensorView};

const STRIDES: [u32; 3] = [8, 16, 32];

pub(super) struct YuNetHead;

impl Head for YuNetHead {
    fn output_count(&self) -> usize {
        4 * STRIDES.len()
    }

    fn input_multiple(&self) -> u32 {
        32
    }

    fn decode(
        &self,
        outputs: &[TensorView<'_>],
        input: Size,
        floor: f32,
    ) -> Result<Vec<Candidate>, ShapeMismatch> {
        let mut found = Vec::new();
        for (level, stride) in STRIDES.into_iter().enumerate() {
            let (columns, rows) = cells(input, stride);
            let count = columns * rows;
            let part = |group: usize, width: usize| {
                let name = ["class scores", "objectness", "boxes", "landmarks"][group];
                outputs[group * STRIDES.len() + level].rows(count, width).map_err(|m| m.at(name, stride))
            };
            let (classes, objects) = (part(0, 1)?, part(1, 1)?);
            let (boxes, points) = (part(2, 4)?, part(3, 10)?);
            for cell in 0..count {
                let confidence = (classes[cell].clamp(0.0, 1.0) * objects[cell].clamp(0.0, 1.0)).sqrt();
                if confidence > floor {
                    let place = Point { x: (cell % columns) as f32, y: (cell / columns) as f32 };
                    let (b, k) = (&boxes[cell * 4..cell * 4 + 4], &points[cell * 10..cell * 10 + 10]);
                    found.push(face(place, stride as f32, (b, k), confidence));
                }
            }
        }
        Ok(found)
    }
}

/// A cell's face: centre and landmarks as offsets from the cell, sizes as logarithms, all in units of the stride.
fn face(cell: Point, stride: f32, (b, k): (&[f32], &[f32]), confidence: f32) -> Candidate {
    let (cx, cy) = ((cell.x + b[0]) * stride, (cell.y + b[1]) * stride);
    let (w, h) = (b[2].exp() * stride, b[3].exp() * stride);
    let landmarks = Landmarks(std::array::from_fn(|i| Point {
        x: (k[2 * i] + cell.x) * stride,
        y: (k[2 * i + 1] + cell.y) * stride,
    }));
    let corners = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
    Candidate { corners, confidence, landmarks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::{Output, views};

    /// Outputs for an input of 64 x 32 pixels with nothing in them.
    fn empty() -> Vec<Output> {
        [1, 1, 4, 10]
            .into_iter()
            .flat_map(|width| [32, 8, 2].map(|cells| Output::zeros(&[1, cells, width])))
            .collect()
    }

    const INPUT: Size = Size { width: 64, height: 32 };

    #[test]
    fn a_cell_becomes_a_face_in_pixels() {
        let mut outputs = empty();
        // Stride 16 has 4 x 2 cells; cell 6 is column 2, row 1.
        outputs[1].data[6] = 0.81;
        outputs[4].data[6] = 1.0;
        outputs[7].data[24..28].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln()]);
        outputs[10].data[60..70].copy_from_slice(&[0.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]);
        let faces = YuNetHead.decode(&views(&outputs), INPUT, 0.5).unwrap();
        let [face] = &faces[..] else { panic!("{faces:?}") };
        assert!((face.confidence - 0.9).abs() < 1e-6);
        assert_eq!(face.corners.map(|v| v.round() as i32), [32, 4, 48, 36]);
        assert_eq!(face.landmarks.0[0], Point { x: 32.0, y: 16.0 });
        assert_eq!(face.landmarks.0[2], Point { x: 40.0, y: 24.0 });
        assert_eq!(face.landmarks.0[4], Point { x: 48.0, y: 32.0 });
    }

    #[test]
    fn scores_at_or_below_the_floor_are_no_faces() {
        let mut outputs = empty();
        outputs[0].data[0] = 0.25;
        outputs[3].data[0] = 1.0;
        assert!(YuNetHead.decode(&views(&outputs), INPUT, 0.5).unwrap().is_empty());
        assert_eq!(YuNetHead.decode(&views(&outputs), INPUT, 0.49).unwrap().len(), 1);
    }

    #[test]
    fn an_output_of_another_shape_is_named() {
        let mut outputs = empty();
        outputs[8] = Output::zeros(&[1, 3, 4]);
        let error = YuNetHead.decode(&views(&outputs), INPUT, 0.5).unwrap_err();
        assert_eq!(error.place, "boxes at stride 32");
    }
}
