//! Settings as a flat list of paths and values, and back.

use std::collections::BTreeMap;

use facereel_domain::settings::{PipelineSettings, Settings};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::SettingsError;
use crate::knob::Scope;
use crate::knobs;

/// Values by path, in the order of the paths.
pub(crate) type Leaves = BTreeMap<String, Value>;

/// What determines a run's artifacts, one `path=value` a line in the order of the paths: equal settings give equal
/// text, whatever order fields are declared or were written in. This is what a run's id is made from.
pub fn canonical_text(pipeline: &PipelineSettings) -> Result<String, SettingsError> {
    let mut leaves = pipeline_leaves(pipeline)?;
    leaves.retain(|path, _| knobs::find(path).is_some_and(|knob| knob.scope() == Scope::Artifacts));
    let mut text = String::new();
    for (path, value) in &leaves {
        text.extend([path, "=", &value.to_string(), "\n"]);
    }
    Ok(text)
}

/// All values of `settings`: `profile`, `detect.stride`, `limits.threads`.
pub(crate) fn leaves(settings: &Settings) -> Result<Leaves, SettingsError> {
    let mut all = pipeline_leaves(&settings.pipeline)?;
    all.extend(flat(&settings.runtime)?);
    all.insert("profile".to_owned(), settings.profile.as_str().into());
    Ok(all)
}

/// The values of the pipeline alone.
pub(crate) fn pipeline_leaves(pipeline: &PipelineSettings) -> Result<Leaves, SettingsError> {
    flat(pipeline)
}

/// The settings that `leaves` describe, which must be complete.
pub(crate) fn assemble(leaves: &Leaves) -> Result<Settings, SettingsError> {
    let mut groups: Map<String, Value> = Map::new();
    for (path, value) in leaves {
        let Some((group, name)) = path.split_once('.') else { continue };
        groups.entry(group).or_insert_with(|| Map::new().into())[name] = value.clone();
    }
    let defaults = Settings::default();
    let settings = Map::from_iter([
        ("profile".to_owned(), leaves.get("profile").cloned().unwrap_or_default()),
        ("pipeline".to_owned(), part(&groups, &defaults.pipeline)?),
        ("runtime".to_owned(), part(&groups, &defaults.runtime)?),
    ]);
    Ok(serde_json::from_value(settings.into())?)
}

/// The paths of all values in `tree`, tables opened.
pub(crate) fn open_tables(tree: &Value) -> Leaves {
    let mut leaves = Leaves::new();
    open(tree, "", &mut leaves);
    leaves
}

fn open(tree: &Value, path: &str, leaves: &mut Leaves) {
    match tree {
        Value::Object(table) => {
            for (key, value) in table {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                open(value, &below, leaves);
            }
        }
        value => {
            leaves.insert(path.to_owned(), value.clone());
        }
    }
}

fn flat(groups: &impl Serialize) -> Result<Leaves, SettingsError> {
    Ok(open_tables(&as_written(groups)?))
}

/// The groups that `like` has.
fn part(groups: &Map<String, Value>, like: &impl Serialize) -> Result<Value, SettingsError> {
    let Value::Object(wanted) = as_written(like)? else { return Ok(Value::Null) };
    Ok(wanted.into_iter().filter_map(|(name, _)| Some((name.clone(), groups.get(&name)?.clone()))).collect())
}

/// Through text, because there a single-precision 0.6 is `0.6`; as a value it would become 0.6000000238418579.
fn as_written(value: &impl Serialize) -> Result<Value, SettingsError> {
    Ok(serde_json::from_str(&serde_json::to_string(value)?)?)
}

#[cfg(test)]
mod tests {
    use facereel_domain::settings::Provider;

    use super::*;

    #[test]
    fn settings_survive_being_flattened_and_assembled() {
        let mut settings = Settings::default();
        settings.pipeline.track.high_thresh = 0.1;
        settings.runtime.source.allowed_roots = vec!["/videos".to_owned()];
        assert_eq!(assemble(&leaves(&settings).unwrap()).unwrap(), settings);
    }

    #[test]
    fn the_canonical_text_knows_what_changes_artifacts_and_nothing_else() {
        let text = |change: fn(&mut PipelineSettings)| {
            let mut pipeline = PipelineSettings::default();
            change(&mut pipeline);
            canonical_text(&pipeline).unwrap()
        };
        let plain = text(|_| ());
        assert!(plain.starts_with("crops.jpeg_quality=90\n"), "{plain}");
        assert!(plain.contains("\ntrack.high_thresh=0.6\n"), "{plain}");
        assert_ne!(plain, text(|p| p.detect.stride = 7));
        assert_ne!(plain, text(|p| p.detect.provider = Provider::Cuda));
        assert_ne!(plain, text(|p| p.embed.provider = Provider::Cuda));
        assert_eq!(plain, text(|p| p.detect.model_file = "/elsewhere/yunet.onnx".to_owned()));
    }
}
