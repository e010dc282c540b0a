//! CenterFace's outputs at stride 4: a heat map of face centres (sigmoid done), log sizes (h, w), offsets (y, x) and
//! landmarks (y, x) relative to the box.

use facereel_domain::geometry::{Landmarks, Point, Size};

use super::{Candidate, Head, cells};
use crate::session::{ShapeMismatch, TensorView};

const STRIDE: u32 = 4;

pub(super) struct CenterFaceHead;

impl Head for CenterFaceHead {
    fn output_count(&self) -> usize {
        4
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
        let (columns, rows) = cells(input, STRIDE);
        let heat = planes(&outputs[0], 1, (columns, rows)).map_err(|m| m.at("heat map", STRIDE))?;
        let sizes = planes(&outputs[1], 2, (columns, rows)).map_err(|m| m.at("sizes", STRIDE))?;
        let offsets = planes(&outputs[2], 2, (columns, rows)).map_err(|m| m.at("offsets", STRIDE))?;
        let points = planes(&outputs[3], 10, (columns, rows)).map_err(|m| m.at("landmarks", STRIDE))?;
        let plane = columns * rows;
        let cell_face = |cell: usize| {
            let at = |planes: &[f32], index: usize| planes[index * plane + cell];
            let stride = STRIDE as f32;
            let (w, h) = (at(sizes, 1).exp() * stride, at(sizes, 0).exp() * stride);
            let x0 = ((cell % columns) as f32 + at(offsets, 1) + 0.5) * stride - w / 2.0;
            let y0 = ((cell / columns) as f32 + at(offsets, 0) + 0.5) * stride - h / 2.0;
            let landmarks = Landmarks(std::array::from_fn(|i| Point {
                x: at(points, 2 * i + 1) * w + x0,
                y: at(points, 2 * i) * h + y0,
            }));
            Candidate { corners: [x0, y0, x0 + w, y0 + h], confidence: heat[cell], landmarks }
        };
        Ok((0..plane).filter(|cell| heat[*cell] > floor).map(cell_face).collect())
    }
}

/// The numbers of `count` planes of `columns x rows` cells.
fn planes<'a>(
    output: &'a TensorView<'_>,
    count: usize,
    (columns, rows): (usize, usize),
) -> Result<&'a [f32], ShapeMismatch> {
    if output.shape == [1, count as i64, rows as i64, columns as i64] {
        return Ok(output.data);
    }
    Err(output.mismatch(format!("[1, {count}, {rows}, {columns}]")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::tests::{Output, views};

    const INPUT: Size = Size { width: 32, height: 64 };

    fn empty() -> Vec<Output> {
        [1, 2, 2, 10].into_iter().map(|planes| Output::zeros(&[1, planes, 16, 8])).collect()
    }

    #[test]
    fn a_peak_becomes_a_face_in_pixels() {
        let mut outputs = empty();
        let (cell, plane) = (3 * 8 + 5, 16 * 8);
        outputs[0].data[cell] = 0.8;
        outputs[1].data[cell] = 4.0_f32.ln();
        outputs[1].data[plane + cell] = 2.0_f32.ln();
        outputs[2].data[cell] = 0.5;
        outputs[3].data[plane + cell] = 0.25;
        outputs[3].data[cell] = 0.5;
        let faces = CenterFaceHead.decode(&views(&outputs), INPUT, 0.35).unwrap();
        let [face] = &faces[..] else { panic!("{faces:?}") };
        // Centre x = (5 + 0 + 0.5) x 4 = 22, y = (3 + 0.5 + 0.5) x 4 = 16; width 8, height 16.
        assert_eq!(face.corners.map(|v| v.round() as i32), [18, 8, 26, 24]);
        assert_eq!(face.landmarks.0[0], Point { x: 20.0, y: 16.0 });
    }

    #[test]
    fn an_output_of_another_shape_is_named() {
        let mut outputs = empty();
        outputs[1] = Output::zeros(&[1, 2, 8, 16]);
        let error = CenterFaceHead.decode(&views(&outputs), INPUT, 0.35).unwrap_err();
        assert_eq!(error.place, "sizes at stride 4");
        assert_eq!(error.expected, "[1, 2, 16, 8]");
    }
}
