//! The size at which frames go through the detector.

use facereel_domain::geometry::Size;
use facereel_domain::settings::DetectSettings;

/// Narrowest input. Below it detection is so small a part of the work that nothing is saved, while large faces are found
/// less surely too: on a sitcom with faces from 64 px, IDF1 was 86, 91, 91, 96 and 99 at widths of 256, 320, 384, 448
/// and 512, at the same CPU time.
const MIN_WIDTH: f32 = 512.0;
/// Sides are multiples of this where that is near: what the adapter would fill up with black costs as much as picture.
const STEP: f32 = 32.0;
/// How much height and width may be scaled apart for it. A face squeezed by so little is the same to a model.
const LARGEST_DISTORTION: f32 = 0.03;

/// The size to which frames of `frame` pixels are scaled so that the smallest wanted face (`min_face_px`) has the
/// `smallest_face_px` pixels that the model needs; never larger than the frame itself, nor narrower than pays.
///
/// The aspect ratio is kept within a few per cent; the adapter pads to what the model's strides need.
#[must_use]
pub fn input_size(frame: Size, settings: &DetectSettings, smallest_face_px: f32) -> Size {
    let (width, height) = (frame.width as f32, frame.height as f32);
    let wanted = if settings.input_width > 0 {
        settings.input_width as f32
    } else {
        let scale = smallest_face_px / settings.min_face_px.max(1) as f32;
        // Portrait video is judged by its longer side as well: the number of pixels follows from the scale alone.
        ((width * scale / STEP).ceil() * STEP).max(MIN_WIDTH)
    };
    let wanted = wanted.min(width);
    let exact_height = height * wanted / width;
    let cells = exact_height / STEP;
    let is_near = |side: &f32| *side > 0.0 && (side / exact_height - 1.0).abs() <= LARGEST_DISTORTION;
    // The smaller one first: it costs less.
    let near = [cells.floor() * STEP, cells.ceil() * STEP].into_iter().find(is_near);
    let scaled_height = near.unwrap_or_else(|| exact_height.round().max(1.0)).min(height);
    Size { width: wanted as u32, height: scaled_height as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size { width: 1920, height: 1080 };

    fn size(min_face_px: u32, input_width: u32, frame: Size) -> Size {
        let settings = DetectSettings { min_face_px, input_width, ..DetectSettings::default() };
        input_size(frame, &settings, 12.0)
    }

    #[test]
    fn larger_wanted_faces_need_fewer_pixels() {
        assert_eq!(size(24, 0, HD), Size { width: 960, height: 544 });
        assert_eq!(size(36, 0, HD), Size { width: 640, height: 352 });
    }

    #[test]
    fn inputs_are_not_narrower_than_pays() {
        assert_eq!(size(90, 0, HD), Size { width: 512, height: 288 });
        assert_eq!(size(2000, 0, HD), size(90, 0, HD));
    }

    #[test]
    fn a_width_that_is_asked_for_is_taken() {
        assert_eq!(size(36, 1280, HD), Size { width: 1280, height: 704 });
    }

    #[test]
    fn sides_far_from_a_multiple_keep_the_aspect_ratio() {
        assert_eq!(size(90, 0, Size { width: 1920, height: 800 }), Size { width: 512, height: 213 });
    }

    #[test]
    fn frames_are_never_made_larger() {
        let small = Size { width: 176, height: 144 };
        assert_eq!(size(8, 0, small), small);
        assert_eq!(size(8, 640, small), small);
    }
}
