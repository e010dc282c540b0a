//! From a detector's candidates to detections: validated boxes, quality, and a JPEG chip of each face.

use facereel_domain::detection::{ChipRef, Detection};
use facereel_domain::geometry::{BBox, PixelRect, Size};
use facereel_domain::settings::PipelineSettings;
use facereel_imaging::{jpeg, quality};
use facereel_inference::Candidate;
use facereel_service::StageError;
use facereel_video_decode::{Frame, Scaler};

/// Most faces that are kept of a frame, the most confident ones.
const MAX_FACES: usize = 1000;

/// Collects a segment's chips, one JPEG after another.
pub(super) struct ChipCutter<'a> {
    settings: &'a PipelineSettings,
    pack: Vec<u8>,
    boxes_refused: u64,
}

impl<'a> ChipCutter<'a> {
    pub(super) fn new(settings: &'a PipelineSettings) -> Self {
        Self { settings, pack: Vec::new(), boxes_refused: 0 }
    }

    /// The pack, and how many candidates were no boxes inside their frames.
    pub(super) fn finish(self) -> (Vec<u8>, u64) {
        (self.pack, self.boxes_refused)
    }

    /// The detections that `candidates` (in pixels of an image of `input` size made from `frame`) stand for.
    pub(super) fn detections(
        &mut self,
        frame: &Frame,
        scaler: &mut Scaler,
        (candidates, input): (Vec<Candidate>, Size),
    ) -> Result<Vec<Detection>, StageError> {
        let mut detections = Vec::with_capacity(candidates.len().min(MAX_FACES));
        for candidate in candidates.into_iter().take(MAX_FACES) {
            match in_frame(candidate, frame.size(), input) {
                Some(detection) => detections.push(self.with_chip(detection, frame, scaler)?),
                None => self.boxes_refused += 1,
            }
        }
        Ok(detections)
    }

    /// Adds chip and quality to a face that tracks can use.
    fn with_chip(
        &mut self,
        mut detection: Detection,
        frame: &Frame,
        scaler: &mut Scaler,
    ) -> Result<Detection, StageError> {
        let too_small = detection.bbox.short_side() < self.settings.detect.min_face_px as f32;
        if too_small || detection.confidence < self.settings.track.low_thresh {
            return Ok(detection);
        }
        let wanted = detection.bbox.expanded(self.settings.crops.margin);
        let Some(rect) = PixelRect::covering(&wanted, frame.size()) else { return Ok(detection) };
        let (out, scale) = chip_size(rect, self.settings.crops.max_side_px);
        let chip = frame
            .crop_rgb(scaler, rect, out)
            .map_err(|e| StageError::permanent("a face could not be cut out of its frame", e))?;
        let bytes = jpeg::encode(&chip, self.settings.crops.jpeg_quality)
            .map_err(|e| StageError::permanent("a face could not be written as JPEG", e))?;
        let (dx, dy) = (-(rect.x as f32), -(rect.y as f32));
        let landmarks = detection.landmarks.mapped(dx, dy, scale);
        let [x0, y0, x1, y1] = detection.bbox.xyxy();
        if let Ok(in_chip) = BBox::from_xyxy([x0 + dx, y0 + dy, x1 + dx, y1 + dy].map(|v| v * scale)) {
            detection.quality = Some(quality::measure(&chip, &in_chip, &landmarks));
        }
        detection.chip = Some(ChipRef {
            offset: self.pack.len() as u64,
            len: bytes.len() as u32,
            origin_px: [rect.x, rect.y],
            scale,
        });
        self.pack.extend_from_slice(&bytes);
        Ok(detection)
    }
}

/// The candidate in source pixels, or `None` where it is no face inside the frame.
fn in_frame(candidate: Candidate, frame: Size, input: Size) -> Option<Detection> {
    let (sx, sy) = (frame.width as f32 / input.width as f32, frame.height as f32 / input.height as f32);
    let Candidate { corners, landmarks, confidence } = candidate.scaled(sx, sy);
    let bbox = BBox::from_xyxy_in(corners, frame).ok()?;
    (landmarks.is_finite() && confidence.is_finite()).then_some(Detection {
        bbox,
        landmarks,
        confidence,
        quality: None,
        chip: None,
    })
}

/// A chip's size and its scale against the frame: as in the frame, unless its longer side is over `max_side_px`.
fn chip_size(rect: PixelRect, max_side_px: u32) -> (Size, f32) {
    let longer = rect.width.max(rect.height);
    if max_side_px == 0 || longer <= max_side_px {
        return (Size { width: rect.width, height: rect.height }, 1.0);
    }
    let scale = max_side_px as f32 / longer as f32;
    let shrink = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    (Size { width: shrink(rect.width), height: shrink(rect.height) }, scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::{Landmarks, Point};

    fn candidate(corners: [f32; 4]) -> Candidate {
        Candidate { corners, confidence: 0.9, landmarks: Landmarks([Point { x: 10.0, y: 20.0 }; 5]) }
    }

    const FRAME: Size = Size { width: 1280, height: 720 };
    const INPUT: Size = Size { width: 640, height: 360 };

    #[test]
    fn candidates_come_back_in_source_pixels() {
        let face = in_frame(candidate([10.0, 20.0, 30.0, 50.0]), FRAME, INPUT).unwrap();
        assert_eq!(face.bbox, BBox::from_xyxy([20.0, 40.0, 60.0, 100.0]).unwrap());
        assert_eq!(face.landmarks.0[0], Point { x: 20.0, y: 40.0 });
    }

    #[test]
    fn candidates_that_are_no_boxes_are_refused() {
        for corners in [[f32::NAN, 0.0, 1.0, 1.0], [50.0, 0.0, 40.0, 9.0], [700.0, 0.0, 800.0, 9.0]] {
            assert!(in_frame(candidate(corners), FRAME, INPUT).is_none(), "{corners:?}");
        }
    }

    #[test]
    fn large_chips_are_made_smaller_and_small_ones_stay() {
        let rect = |width, height| PixelRect { x: 0, y: 0, width, height };
        assert_eq!(chip_size(rect(300, 400), 512), (Size { width: 300, height: 400 }, 1.0));
        assert_eq!(chip_size(rect(600, 1024), 512), (Size { width: 300, height: 512 }, 0.5));
        assert_eq!(chip_size(rect(600, 1024), 0).0, Size { width: 600, height: 1024 });
    }
}
