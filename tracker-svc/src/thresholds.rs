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
/// Dark, flat pictures lower a detector's scores as a whole, of true faces and of false alike. Light tells how far down the
/// thresholds may go (`adaptive_min` where faces are hardly visible), the scores tell where they belong: in the lowest
/// empty stretch of the histogram, which has faces above it and noise below; without one, half way between what light
/// allows and the level that parts the scores best. Only above a gap any detection may start a track; otherwise a start
/// stays as much harder as it is in good light. So a dark shot full of noise gets few false tracks, and a bright one none
/// more than before.
pub(crate) fn thresholds(frames: &[FrameFaces], settings: &PipelineSettings) -> Thresholds {
    let (high, new) = (settings.track.high_thresh, settings.track.new_thresh);
    if !settings.detect.adaptive_threshold {
        return Thresholds { high, new };
    }
    let (lowest, highest) =
        (settings.detect.adaptive_min, settings.detect.adaptive_max.max(settings.detect.adaptive_min));
    let light = shot_light(frames);
    let by_light = (high * light + lowest * (1.0 - light)).min(high).clamp(lowest, highest);
    let scores = scores(frames);
    if let Some(gap) = lowest_gap(&scores, (by_light, highest)) {
        let start = if gap < high { gap } else { new };
        return Thresholds { high: gap, new: start.clamp(gap, highest.max(gap)) };
    }
    let parted = best_parting(&scores).unwrap_or(by_light);
    let parted = parted.clamp(by_light, by_light.max(high.min(highest)));
    let fitted = f32::midpoint(by_light, parted);
    Thresholds { high: fitted, new: (new - (high - fitted)).clamp(fitted, highest.max(fitted)) }
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

/// All scores of a shot, ascending.
fn scores(frames: &[FrameFaces]) -> Vec<f32> {
    let faces = frames.iter().flat_map(|frame| &frame.faces);
    let mut scores: Vec<f32> = faces.map(|face| face.detection.confidence).collect();
    scores.sort_by(f32::total_cmp);
    scores
}

/// The middle of the lowest stretch within `range` that is at least a tenth wide, holds none of the `scores` (which
/// ascend), and has some above it; `None` where there is none.
fn lowest_gap(scores: &[f32], (lowest, highest): (f32, f32)) -> Option<f32> {
    const WIDTH: f32 = 0.1;
    let inside = scores.iter().copied().filter(|score| *score > lowest);
    let edges: Vec<f32> = std::iter::once(lowest).chain(inside).collect();
    edges
        .windows(2)
        .map(|pair| (pair[0], pair[1].min(highest)))
        .find(|(below, above)| above - below >= WIDTH)
        .map(|(below, above)| f32::midpoint(below, above))
}

/// The level that parts `scores` (which ascend) into two classes whose means differ most, each counted by its size (Otsu
/// 1979); `None` where they are all alike.
fn best_parting(scores: &[f32]) -> Option<f32> {
    let total: f64 = scores.iter().map(|score| f64::from(*score)).sum();
    let count = scores.len() as f64;
    let mut below = 0.0;
    let mut best: Option<(f64, f32)> = None;
    for (place, pair) in scores.windows(2).enumerate() {
        below += f64::from(pair[0]);
        let (n, rest) = (place as f64 + 1.0, count - place as f64 - 1.0);
        let apart = n * rest * (below / n - (total - below) / rest).powi(2);
        if pair[1] > pair[0] && best.is_none_or(|(most, _)| apart > most) {
            best = Some((apart, f32::midpoint(pair[0], pair[1])));
        }
    }
    best.map(|(_, level)| level)
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
        assert_eq!(thresholds(&shot(&[0.5, 0.68, 0.75, 0.9], 0.6), &adaptive()), as_set());
    }

    #[test]
    fn in_a_dark_shot_whose_scores_leave_a_gap_every_face_above_it_may_start_a_track() {
        // Faces at 0.55, false alarms under the lowest threshold, nothing between them.
        let found = thresholds(&shot(&[0.55, 0.56, 0.57, 0.3, 0.55], 0.05), &adaptive());
        assert!(found.high > 0.4 && found.high < 0.55, "{found:?}");
        assert!((found.new - found.high).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn in_a_dark_shot_whose_scores_leave_no_gap_starting_stays_harder() {
        let scores = [0.4, 0.43, 0.46, 0.49, 0.52, 0.55, 0.58, 0.6, 0.66, 0.72, 0.78, 0.84];
        let found = thresholds(&shot(&scores, 0.05), &adaptive());
        assert!(found.high > 0.5 && found.high <= as_set().high, "{found:?}");
        assert!((found.new - found.high - 0.1).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_bright_shot_is_never_less_strict_than_the_settings() {
        for scores in
            [vec![0.45, 0.5, 0.92, 0.93], vec![0.62, 0.63, 0.92], vec![0.55; 6], vec![0.7, 0.65, 0.9]]
        {
            let found = thresholds(&shot(&scores, 0.8), &adaptive());
            assert!(found.high >= as_set().high && found.new >= as_set().new, "{scores:?}: {found:?}");
        }
    }

    #[test]
    fn the_most_that_may_be_chosen_bounds_a_bright_shot() {
        let scores = [0.62, 0.63, 0.92, 0.93];
        let high = |adaptive_max: f32| {
            let mut settings = adaptive();
            settings.detect.adaptive_max = adaptive_max;
            thresholds(&shot(&scores, 0.8), &settings).high
        };
        assert!(high(0.8) > high(0.75) && high(0.75) > 0.63);
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
