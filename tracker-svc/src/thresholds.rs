//! Which detections of a shot may be tracked and which may start a track.

use facereel_domain::settings::PipelineSettings;
use facereel_messages::objects::FrameFaces;

/// A shot's confidence thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thresholds {
    /// From here on a detection takes part in the first association.
    pub(crate) high: f32,
    /// From here on a detection may start a track.
    pub(crate) new: f32,
}

/// The settings' thresholds, or where `detect.adaptive_threshold` asks for it those that fit the shot's own light.
///
/// Dark, flat pictures lower a detector's scores as a whole, of true faces and of false alike. So the thresholds of a
/// shot move down with the brightness and contrast of its faces, and only as far as its scores have a gap between the
/// faces that are seen again and again and the rest; they stay within `adaptive_min..=adaptive_max`.
pub(crate) fn thresholds(frames: &[FrameFaces], settings: &PipelineSettings) -> Thresholds {
    let (high, new) = (settings.track.high_thresh, settings.track.new_thresh);
    if !settings.detect.adaptive_threshold {
        return Thresholds { high, new };
    }
    let (lowest, highest) = (settings.detect.adaptive_min, settings.detect.adaptive_max);
    let light = shot_light(frames);
    let by_light = highest.min(high) * light + lowest * (1.0 - light);
    let by_scores = score_gap(frames, (lowest, highest.min(high))).unwrap_or(high);
    let fitted = by_light.min(high).max(by_scores.min(high)).clamp(lowest, highest);
    Thresholds { high: fitted, new: fitted.max(new - (high - fitted)).clamp(lowest, highest.max(new)) }
}

/// How well a shot's faces are lit: 1 = as most video, 0 = hardly visible. Shots without measured faces count as lit.
fn shot_light(frames: &[FrameFaces]) -> f32 {
    const GOOD_BRIGHTNESS: f32 = 0.30;
    const GOOD_CONTRAST: f32 = 0.25;
    let mut lights: Vec<f32> = frames
        .iter()
        .flat_map(|frame| &frame.faces)
        .filter_map(|face| face.detection.quality)
        .map(|q| (q.brightness / GOOD_BRIGHTNESS).min(q.contrast / GOOD_CONTRAST).clamp(0.0, 1.0))
        .collect();
    lights.sort_by(f32::total_cmp);
    lights.get(lights.len() / 2).copied().unwrap_or(1.0)
}

/// The middle of the widest empty stretch of the score histogram within `range`; `None` where there is none that is at
/// least a tenth wide.
fn score_gap(frames: &[FrameFaces], (lowest, highest): (f32, f32)) -> Option<f32> {
    let mut scores: Vec<f32> = frames
        .iter()
        .flat_map(|frame| &frame.faces)
        .map(|face| face.detection.confidence)
        .filter(|score| (lowest..=highest).contains(score))
        .collect();
    scores.extend([lowest, highest]);
    scores.sort_by(f32::total_cmp);
    let (width, middle) = scores
        .windows(2)
        .map(|pair| (pair[1] - pair[0], f32::midpoint(pair[0], pair[1])))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (width >= 0.1).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{face, frame, quality};
    use facereel_domain::detection::FaceQuality;
    use proptest::prelude::*;

    fn adaptive() -> PipelineSettings {
        let mut settings = PipelineSettings::default();
        settings.detect.adaptive_threshold = true;
        settings
    }

    fn as_set() -> Thresholds {
        let track = PipelineSettings::default().track;
        Thresholds { high: track.high_thresh, new: track.new_thresh }
    }

    /// A shot of faces with these scores, lit as given.
    fn shot(scores: &[f32], light: f32) -> Vec<FrameFaces> {
        let lit = |confidence: f32| {
            let mut detection = face(0.0, 100.0, confidence);
            detection.quality = Some(FaceQuality { brightness: light, contrast: light, ..quality(0.5) });
            detection
        };
        (0..).zip(scores).map(|(at, score)| frame(at, vec![lit(*score)])).collect()
    }

    #[test]
    fn without_the_setting_thresholds_are_the_settings() {
        assert_eq!(thresholds(&shot(&[0.5; 9], 0.02), &PipelineSettings::default()), as_set());
    }

    #[test]
    fn a_lit_shot_keeps_its_thresholds() {
        assert_eq!(thresholds(&shot(&[0.5, 0.7, 0.9], 0.6), &adaptive()), as_set());
    }

    #[test]
    fn a_dark_shot_whose_scores_leave_a_gap_below_has_lower_ones() {
        // Faces at 0.55, false alarms under the lowest threshold, nothing between them.
        let found = thresholds(&shot(&[0.55, 0.56, 0.57, 0.3, 0.55], 0.05), &adaptive());
        let drop = as_set().high - found.high;
        assert!(found.high > 0.4 && found.high < 0.55, "{found:?}");
        assert!((as_set().new - found.new - drop).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_dark_shot_whose_scores_leave_no_gap_keeps_its_thresholds() {
        let scores = [0.4, 0.43, 0.46, 0.49, 0.52, 0.55, 0.58, 0.6];
        assert_eq!(thresholds(&shot(&scores, 0.05), &adaptive()), as_set());
    }

    #[test]
    fn a_shot_without_faces_counts_as_lit() {
        assert_eq!(thresholds(&shot(&[], 0.0), &adaptive()), as_set());
    }

    proptest! {
        #[test]
        fn thresholds_stay_within_their_bounds_in_any_light(
            scores in proptest::collection::vec(0.0_f32..1.0, 0..40),
            light in 0.0_f32..1.0,
        ) {
            let found = thresholds(&shot(&scores, light), &adaptive());
            prop_assert!((0.4..=0.8).contains(&found.high) && (0.4..=0.8).contains(&found.new), "{found:?}");
            prop_assert!(found.new >= found.high);
        }
    }
}
