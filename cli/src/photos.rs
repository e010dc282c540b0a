//! Photos of people: the face that a photo is of.

use facereel_domain::geometry::Landmarks;
use facereel_imaging::{RgbImage, shrink};
use facereel_inference::{Candidate, FaceDetector, InferenceError};

/// A face, in pixels of the photo.
pub(crate) struct PhotoFace {
    /// `[x0, y0, x1, y1]`.
    pub(crate) corners: [f32; 4],
    /// Five points.
    pub(crate) landmarks: Landmarks,
}

/// The face nearest to the photo's middle, the one that the photo is of. The photo goes through the detector made smaller
/// by whole factors, to `width` pixels or a little more.
pub(crate) fn central_face(
    photo: &RgbImage,
    width: u32,
    finder: &mut dyn FaceDetector,
) -> Result<Option<PhotoFace>, InferenceError> {
    let factor = (photo.size().width / width.max(1)).max(1);
    let small = shrink::by_area(photo, factor);
    let (x, y) = (small.size().width as f32 / 2.0, small.size().height as f32 / 2.0);
    let off_centre = |c: &[f32; 4]| (f32::midpoint(c[0], c[2]) - x).hypot(f32::midpoint(c[1], c[3]) - y);
    let faces = finder.detect(&small)?;
    let nearest = faces.iter().min_by(|a, b| off_centre(&a.corners).total_cmp(&off_centre(&b.corners)));
    let scale = factor as f32;
    Ok(nearest.map(|face| {
        let Candidate { corners, landmarks, .. } = face.clone().scaled(scale, scale);
        PhotoFace { corners, landmarks }
    }))
}
