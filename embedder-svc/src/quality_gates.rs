//! Which faces are good enough to be embedded, and the name of the gate that refuses the others.

use facereel_domain::settings::QualitySettings;
use facereel_messages::objects::FaceToEmbed;

/// The gate that refuses `face`, or `None` where it passes all. Gates are asked in this order: size, confidence, pose,
/// sharpness, overall score.
#[must_use]
pub fn refusing_gate(face: &FaceToEmbed, settings: &QualitySettings) -> Option<&'static str> {
    let quality = &face.quality;
    [
        ("too_small", face.short_side_px < settings.min_face_px as f32),
        ("low_confidence", face.confidence < settings.min_confidence),
        ("turned_away", quality.yaw_deg.abs() > settings.max_yaw_deg),
        ("blurred", quality.sharpness < settings.min_sharpness),
        ("low_quality", quality.score < settings.min_score),
    ]
    .into_iter()
    .find_map(|(gate, refuses)| refuses.then_some(gate))
}

/// What refuses a face whose chip can't be used: the JPEG is damaged, or its landmarks lie on one point.
pub const NOT_ALIGNABLE: &str = "not_alignable";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::face;

    #[test]
    fn each_gate_refuses_under_its_own_name() {
        let settings = QualitySettings::default();
        assert_eq!(refusing_gate(&face(0), &settings), None);
        let refused = |change: fn(&mut FaceToEmbed)| {
            let mut face = face(0);
            change(&mut face);
            refusing_gate(&face, &settings)
        };
        assert_eq!(refused(|f| f.short_side_px = 5.0), Some("too_small"));
        assert_eq!(refused(|f| f.confidence = 0.1), Some("low_confidence"));
        assert_eq!(refused(|f| f.quality.yaw_deg = -89.0), Some("turned_away"));
        assert_eq!(refused(|f| f.quality.sharpness = 0.0), Some("blurred"));
        assert_eq!(refused(|f| f.quality.score = 0.0), Some("low_quality"));
    }
}
