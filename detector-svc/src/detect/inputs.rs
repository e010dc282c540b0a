//! What the detector gets of a frame: one picture or two, and at which sizes.

use facereel_domain::geometry::Size;
use facereel_domain::settings::DetectSettings;
use facereel_imaging::RgbImage;
use facereel_inference::{Candidate, FaceDetector, InferenceError};
use facereel_video_decode::{DecodeError, Frame, Scaler};

/// Narrowest input. Below it detection is so small a part of the work that nothing is saved, while large faces are found
/// less surely too: on a sitcom with faces from 64 px, IDF1 was 86, 91, 91, 96 and 99 at widths of 256, 320, 384, 448
/// and 512, at the same CPU time.
const MIN_WIDTH: f32 = 512.0;
/// The width at which detectors are trained, and find large faces best: from 130 input pixels on, faces that turn away are
/// missed and hands are taken for faces. On the sitcom, IDF1 was 99.8 at 640 and 88 to 93 at 768 to 1280.
const BEST_WIDTH: f32 = 640.0;
/// A wider input than this share of the best one is worth a look of its own.
const WORTH_A_LOOK: f32 = 1.1;
/// Sides are multiples of this where that is near: what the adapter would fill up with black costs as much as picture.
const STEP: f32 = 32.0;
/// How much height and width may be scaled apart for it. A face squeezed by so little is the same to a model.
const LARGEST_DISTORTION: f32 = 0.03;
/// Up to this many times the size that the model needs, a face is small: a model may miss it that sees it no larger.
const SMALL: f32 = 1.25;

/// The sizes of the detector's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSizes {
    /// What every analysed frame is scaled to.
    pub near: Size,
    /// What frames are scaled to in addition, for the faces that are too small in `near`, where there may be such faces.
    pub wide: Option<Size>,
}

impl InputSizes {
    /// The inputs for frames of `frame` pixels and a model that needs `smallest_face_px` of a face; never larger than the
    /// frame itself, nor narrower than pays.
    ///
    /// The aspect ratio is kept within a few per cent; the adapter pads to what the model's strides need.
    #[must_use]
    pub fn new(frame: Size, settings: &DetectSettings, smallest_face_px: f32) -> Self {
        let width = frame.width as f32;
        if settings.input_width > 0 {
            return Self { near: scaled_to(settings.input_width as f32, frame), wide: None };
        }
        let scale = smallest_face_px / settings.min_face_px.max(1) as f32;
        // Portrait video is judged by its longer side as well: the number of pixels follows from the scale alone.
        let wanted = ((width * scale / STEP).ceil() * STEP).max(MIN_WIDTH).min(width);
        if wanted <= BEST_WIDTH * WORTH_A_LOOK {
            return Self { near: scaled_to(wanted, frame), wide: None };
        }
        Self { near: scaled_to(BEST_WIDTH, frame), wide: Some(scaled_to(wanted, frame)) }
    }

    /// The frame at these sizes; in the wide only where there is such an input, and `in_the_wide` asks for it.
    pub fn scale(
        &self,
        frame: &Frame,
        scaler: &mut Scaler,
        in_the_wide: bool,
    ) -> Result<Inputs, DecodeError> {
        let near = frame.scaled_rgb(scaler, self.near)?;
        let wide =
            self.wide.filter(|_| in_the_wide).map(|size| frame.scaled_rgb(scaler, size)).transpose()?;
        Ok(Inputs { near, wide })
    }

    /// Shorter side in frame pixels below which a face may be missed in `near`.
    #[must_use]
    pub fn small_face_px(&self, frame: Size, smallest_face_px: f32) -> f32 {
        SMALL * smallest_face_px * frame.width as f32 / self.near.width as f32
    }
}

/// A frame as the detector gets it.
pub struct Inputs {
    near: RgbImage,
    wide: Option<RgbImage>,
}

impl Inputs {
    /// The faces, in pixels of the near picture, whose size is told with them.
    pub fn faces(&self, detector: &mut dyn FaceDetector) -> Result<(Vec<Candidate>, Size), InferenceError> {
        let faces = match &self.wide {
            Some(wide) => detector.detect_wide(&self.near, wide)?,
            None => detector.detect(&self.near)?,
        };
        Ok((faces, self.near.size()))
    }

    /// Whether the frame is there in the wide as well.
    #[must_use]
    pub fn are_wide(&self) -> bool {
        self.wide.is_some()
    }
}

fn scaled_to(width: f32, frame: Size) -> Size {
    let (full_width, full_height) = (frame.width as f32, frame.height as f32);
    let width = width.min(full_width);
    let exact_height = full_height * width / full_width;
    let cells = exact_height / STEP;
    let is_near = |side: &f32| *side > 0.0 && (side / exact_height - 1.0).abs() <= LARGEST_DISTORTION;
    // The smaller one first: it costs less.
    let near = [cells.floor() * STEP, cells.ceil() * STEP].into_iter().find(is_near);
    let height = near.unwrap_or_else(|| exact_height.round().max(1.0)).min(full_height);
    Size { width: width as u32, height: height as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size { width: 1920, height: 1080 };
    const BEST: Size = Size { width: 640, height: 352 };

    fn sizes(min_face_px: u32, input_width: u32, frame: Size) -> InputSizes {
        let settings = DetectSettings { min_face_px, input_width, ..DetectSettings::default() };
        InputSizes::new(frame, &settings, 12.0)
    }

    /// The one input that there is.
    fn only(sizes: InputSizes) -> Size {
        assert_eq!(sizes.wide, None);
        sizes.near
    }

    #[test]
    fn larger_wanted_faces_need_fewer_pixels() {
        assert_eq!(only(sizes(36, 0, HD)), BEST);
        assert_eq!(only(sizes(40, 0, HD)), Size { width: 576, height: 320 });
    }

    #[test]
    fn small_faces_get_a_wide_input_and_large_ones_keep_theirs() {
        let wide = Some(Size { width: 960, height: 544 });
        assert_eq!(sizes(24, 0, HD), InputSizes { near: BEST, wide });
        // 15 input pixels of a face are a quarter more than the model needs.
        assert!((sizes(24, 0, HD).small_face_px(HD, 12.0) - 45.0).abs() < 1e-3);
    }

    #[test]
    fn inputs_are_not_narrower_than_pays() {
        assert_eq!(only(sizes(90, 0, HD)), Size { width: 512, height: 288 });
        assert_eq!(sizes(2000, 0, HD), sizes(90, 0, HD));
    }

    #[test]
    fn frames_are_never_enlarged() {
        let small = Size { width: 320, height: 240 };
        assert_eq!(only(sizes(8, 0, small)), small);
        assert_eq!(sizes(16, 0, HD).wide, Some(Size { width: 1440, height: 800 }));
        assert_eq!(sizes(8, 0, HD).wide, Some(Size { width: 1920, height: 1056 }));
    }

    #[test]
    fn a_width_that_was_asked_for_is_the_only_one() {
        assert_eq!(only(sizes(24, 1280, HD)), Size { width: 1280, height: 704 });
        assert_eq!(only(sizes(24, 640, HD)), BEST);
    }

    #[test]
    fn sides_far_from_a_multiple_keep_the_aspect_ratio() {
        let scope = Size { width: 1920, height: 800 };
        assert_eq!(only(sizes(90, 0, scope)), Size { width: 512, height: 213 });
    }

    #[test]
    fn portrait_video_keeps_its_shape() {
        let Size { width, height } = sizes(24, 0, Size { width: 1080, height: 1920 }).near;
        let ratio = f64::from(height) / f64::from(width);
        assert!((ratio - 16.0 / 9.0).abs() < 0.06, "{width}x{height}");
    }
}
