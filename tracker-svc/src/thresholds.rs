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
    let by_scores = score_gap(frames, (lowest, highest)).unwrap_or(high);
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
