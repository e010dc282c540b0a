//! Face detectors: one adapter over heads that differ in how they write down boxes, scores and landmarks.
//!
//! The adapter pads the image, runs the session and suppresses doubles; a head only turns numbers into candidates, so
//! that heads are tested on made-up tensors without a model.

mod anchors;
mod centerface;
mod yunet;

use std::num::NonZeroUsize;

use facereel_domain::geometry::{Landmarks, Size};
use facereel_imaging::{RgbImage, shrink};

use crate::input::InputBuffer;
use crate::session::{ModelSession, Scratch, ShapeMismatch, TensorView};
use crate::spec::{DetectorHead, DetectorSpec};
use crate::{InferenceError, Model, Runtime, nms};

/// A face as a detector reports it, in pixels of the image it was given. Corners may lie outside of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// `[x0, y0, x1, y1]`.
    pub corners: [f32; 4],
    /// The model's score, 0..=1.
    pub confidence: f32,
    /// Five points.
    pub landmarks: Landmarks,
}

impl Candidate {
    /// The same face in an image that is `sx` times as wide and `sy` times as high.
    #[must_use]
    pub fn scaled(mut self, sx: f32, sy: f32) -> Self {
        let [x0, y0, x1, y1] = self.corners;
        self.corners = [x0 * sx, y0 * sy, x1 * sx, y1 * sy];
        for point in &mut self.landmarks.0 {
            (point.x, point.y) = (point.x * sx, point.y * sy);
        }
        self
    }

    fn sides(&self) -> [f32; 2] {
        let [x0, y0, x1, y1] = self.corners;
        [x1 - x0, y1 - y0]
    }
}

/// Finds faces in images. One a thread.
pub trait FaceDetector: Send {
    /// The faces in `image`, the surest first; every number is finite and no two overlap by more than the model's limit.
    fn detect(&mut self, image: &RgbImage) -> Result<Vec<Candidate>, InferenceError>;

    /// The faces in `image` and those that only `wide`, the same picture in more pixels, is large enough for; in pixels of
    /// `image`, as [`Self::detect`] gives them.
    fn detect_wide(&mut self, image: &RgbImage, wide: &RgbImage) -> Result<Vec<Candidate>, InferenceError>;

    /// Face size in input pixels (shorter side of the box) that the model needs to find faces reliably: the scale of the
    /// image follows from it.
    fn smallest_face_px(&self) -> f32;
}

/// A detector with a session of its own, which uses `threads` threads.
pub fn open(
    runtime: &Runtime,
    model: &Model<DetectorSpec>,
    threads: NonZeroUsize,
) -> Result<Box<dyn FaceDetector>, InferenceError> {
    let session = ModelSession::open(runtime, model, threads, Scratch::Pooled)?;
    let head = head_of(&model.spec.head);
    let [_, _, height, width] = session.image_input()?;
    if (height, width) != (-1, -1) {
        return Err(session.mismatch(ShapeMismatch {
            place: "the input's height and width".to_owned(),
            expected: "free".to_owned(),
            actual: format!("{height} x {width}"),
        }));
    }
    if session.output_count() != head.output_count() {
        return Err(session.mismatch(ShapeMismatch {
            place: "the number of outputs".to_owned(),
            expected: head.output_count().to_string(),
            actual: session.output_count().to_string(),
        }));
    }
    let look = || InputBuffer::new(model.spec.pixels);
    let looks = Looks { whole: look(), reduced: look(), wide: look() };
    Ok(Box::new(OnnxDetector { session, head, looks, spec: model.spec.clone() }))
}

/// Turns a model's outputs into candidates.
trait Head: Send {
    /// Outputs of a model with this head.
    fn output_count(&self) -> usize;

    /// The input's sides must be multiples of this.
    fn input_multiple(&self) -> u32;

    /// All candidates of at least `floor` confidence, in the order of cells, for an input of `input` pixels.
    fn decode(
        &self,
        outputs: &[TensorView<'_>],
        input: Size,
        floor: f32,
    ) -> Result<Vec<Candidate>, ShapeMismatch>;
}

fn head_of(head: &DetectorHead) -> Box<dyn Head> {
    match head {
        DetectorHead::YuNet => Box::new(yunet::YuNetHead),
        DetectorHead::CenterFace => Box::new(centerface::CenterFaceHead),
        DetectorHead::Scrfd(grid) => Box::new(anchors::AnchorHead::new(grid.clone())),
    }
}

struct OnnxDetector {
    session: ModelSession,
    head: Box<dyn Head>,
    looks: Looks,
    spec: DetectorSpec,
}

/// Input buffers: one for each scale, so that both stay as they are from image to image.
struct Looks {
    whole: InputBuffer,
    reduced: InputBuffer,
    wide: InputBuffer,
}

/// Size that the smallest of the faces too large for the model has in the reduced image: enough for exact landmarks, and
/// the reduced image costs a sixteenth of the whole one.
const REDUCED_FACE_PX: f32 = 120.0;

/// Faces of more than this share of `largest_face_px` are taken from the reduced image too: the two ranges overlap.
const REDUCED_FROM: f32 = 0.75;

/// Faces of less than this many times `smallest_face_px` are taken from the wide image too: they are found surely in both.
const WIDE_UP_TO: f32 = 1.75;

impl FaceDetector for OnnxDetector {
    fn detect(&mut self, image: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let candidates = self.all_faces(image)?;
        Ok(nms::suppress(candidates, self.spec.nms_iou))
    }

    fn detect_wide(&mut self, image: &RgbImage, wide: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let mut candidates = self.all_faces(image)?;
        candidates.extend(self.small_faces(image.size(), wide)?);
        Ok(nms::suppress(candidates, self.spec.nms_iou))
    }

    fn smallest_face_px(&self) -> f32 {
        self.spec.smallest_face_px
    }
}

impl OnnxDetector {
    fn all_faces(&mut self, image: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let model = (self.head.as_ref(), &self.spec);
        let mut candidates = look(&mut self.session, model, &mut self.looks.whole, image)?;
        if image.size().height as f32 > self.spec.largest_face_px {
            candidates.extend(self.large_faces(image)?);
        }
        Ok(candidates)
    }

    /// Faces that are small in the image of `size`, found on `wide`.
    fn small_faces(&mut self, size: Size, wide: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let model = (self.head.as_ref(), &self.spec);
        let found = look(&mut self.session, model, &mut self.looks.wide, wide)?;
        let (sx, sy) =
            (size.width as f32 / wide.size().width as f32, size.height as f32 / wide.size().height as f32);
        let limit = self.spec.smallest_face_px * WIDE_UP_TO;
        let is_small = |face: &Candidate| face.sides().iter().any(|side| *side < limit);
        Ok(found.into_iter().map(|face| face.scaled(sx, sy)).filter(is_small).collect())
    }

    /// Faces near and above the largest size that the model takes in one piece, found on the reduced image.
    fn large_faces(&mut self, image: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let factor = (self.spec.largest_face_px / REDUCED_FACE_PX).max(2.0) as u32;
        let reduced = shrink::by_area(image, factor);
        let model = (self.head.as_ref(), &self.spec);
        let found = look(&mut self.session, model, &mut self.looks.reduced, &reduced)?;
        let scale = factor as f32;
        let limit = self.spec.largest_face_px * REDUCED_FROM;
        let is_large = |face: &Candidate| face.sides().iter().any(|side| *side > limit);
        Ok(found.into_iter().map(|face| face.scaled(scale, scale)).filter(is_large).collect())
    }
}

/// All candidates in an image, as the model gives them.
fn look(
    session: &mut ModelSession,
    (head, spec): (&dyn Head, &DetectorSpec),
    buffer: &mut InputBuffer,
    image: &RgbImage,
) -> Result<Vec<Candidate>, InferenceError> {
    let padded = padded_to(image.size(), head.input_multiple());
    let input = buffer.fill(image, padded).map_err(|e| session.failed(&e.to_string()))?;
    let mut candidates = session.run(input, |outputs| head.decode(outputs, padded, spec.confidence_floor))?;
    candidates.retain(is_sound);
    Ok(candidates)
}

fn padded_to(size: Size, multiple: u32) -> Size {
    Size { width: size.width.next_multiple_of(multiple), height: size.height.next_multiple_of(multiple) }
}

/// Whether all numbers are finite and the box has an area: a broken frame can make a network answer with neither.
fn is_sound(candidate: &Candidate) -> bool {
    let [x0, y0, x1, y1] = candidate.corners;
    candidate.corners.iter().all(|v| v.is_finite())
        && candidate.confidence.is_finite()
        && candidate.landmarks.is_finite()
        && x1 > x0
        && y1 > y0
}

/// Cells of a level: columns and rows.
fn cells(input: Size, stride: u32) -> (usize, usize) {
    ((input.width / stride) as usize, (input.height / stride) as usize)
}

#[cfg(test)]
mod tests {
    use crate::session::TensorView;

    /// A made-up output.
    pub(super) struct Output {
        pub(super) shape: Vec<i64>,
        pub(super) data: Vec<f32>,
    }

    impl Output {
        pub(super) fn zeros(shape: &[i64]) -> Self {
            Self { shape: shape.to_vec(), data: vec![0.0; shape.iter().product::<i64>() as usize] }
        }
    }

    pub(super) fn views(outputs: &[Output]) -> Vec<TensorView<'_>> {
        outputs.iter().map(|o| TensorView { shape: &o.shape, data: &o.data }).collect()
    }
}
