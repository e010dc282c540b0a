//! Checking ready values: each against its row in the table of knobs, and those that belong together.

use facereel_domain::settings::PipelineSettings;
use serde_json::Value;

use crate::error::SettingsError;
use crate::knob::Knob;
use crate::knobs;
use crate::nearest::nearest_path;
use crate::paths;
use crate::redact::redacted;
use crate::source::Source;

/// Checks settings that arrived ready-made, in a message or a stored run, by the rules for written ones.
pub fn validate(pipeline: &PipelineSettings) -> Result<(), SettingsError> {
    for (path, value) in paths::pipeline_leaves(pipeline)? {
        let knob = known(&path, &Source::Message)?;
        knob.kind.accept(&value).ok_or_else(|| not_allowed(knob, &value.to_string(), &Source::Message))?;
    }
    check_order(pipeline)
}

/// The setting at `path`, or an error with the nearest one.
pub(crate) fn known(path: &str, source: &Source) -> Result<&'static Knob, SettingsError> {
    knobs::find(path).ok_or_else(|| unknown(path, nearest_path(path).map(str::to_owned), source))
}

/// The error for a key that does not exist.
pub(crate) fn unknown(key: &str, nearest: Option<String>, source: &Source) -> SettingsError {
    SettingsError::UnknownKey { key: key.to_owned(), source_of: source.clone(), nearest }
}

/// The error for a value that does not fit.
pub(crate) fn not_allowed(knob: &Knob, value: &str, source: &Source) -> SettingsError {
    SettingsError::NotAllowed {
        path: knob.path.to_owned(),
        value: redacted(value).into_owned(),
        allowed: knob.kind.to_string(),
        source_of: source.clone(),
    }
}

/// Values that only make sense in order.
pub(crate) fn check_order(pipeline: &PipelineSettings) -> Result<(), SettingsError> {
    let PipelineSettings { detect, track, gate, .. } = pipeline;
    ordered(("track.low_thresh", track.low_thresh), ("track.high_thresh", track.high_thresh))?;
    ordered(("detect.adaptive_min", detect.adaptive_min), ("detect.adaptive_max", detect.adaptive_max))?;
    // Zero stands for the model's own value, which is not known here.
    if gate.soft > 0.0 {
        ordered(("gate.hard", gate.hard), ("gate.soft", gate.soft))?;
    }
    Ok(())
}

fn ordered(lower: (&'static str, f32), upper: (&'static str, f32)) -> Result<(), SettingsError> {
    if lower.1 <= upper.1 {
        return Ok(());
    }
    Err(SettingsError::Contradiction { lower: lower.0, low: lower.1, upper: upper.0, high: upper.1 })
}

/// A value as people write it: without the quotes of JSON, without credentials.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => redacted(text).into_owned(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: fn(&mut PipelineSettings)) -> String {
        let mut pipeline = PipelineSettings::default();
        change(&mut pipeline);
        validate(&pipeline).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        validate(&PipelineSettings::default()).unwrap();
    }

    #[test]
    fn hostile_values_from_a_message_are_refused() {
        assert!(refused(|p| p.detect.stride = 0).contains("detect.stride = 0 (message)"));
        assert!(refused(|p| p.detect.segment_sec = f64::NAN).contains("detect.segment_sec"));
        assert!(refused(|p| p.track.min_iou = f32::INFINITY).contains("track.min_iou"));
        assert!(refused(|p| p.embed.batch_size = u32::MAX).contains("from 1 to 1024"));
        assert!(refused(|p| p.detect.model_head = "python".to_owned()).contains("scrfd"));
    }

    #[test]
    fn values_that_contradict_each_other_are_refused() {
        assert!(refused(|p| p.track.low_thresh = 0.7).contains("track.low_thresh = 0.7 must not be above"));
        assert!(refused(|p| p.detect.adaptive_min = 0.9).contains("detect.adaptive_max"));
        assert!(refused(|p| (p.gate.hard, p.gate.soft) = (0.5, 0.4)).contains("gate.soft"));
    }

    #[test]
    fn one_gate_threshold_may_be_the_models_own() {
        let mut pipeline = PipelineSettings::default();
        pipeline.gate.hard = 0.5;
        validate(&pipeline).unwrap();
    }
}
