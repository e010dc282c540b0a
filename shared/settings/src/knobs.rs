//! The table of knobs: every setting once, in the order in which people read them.

mod detect;
mod faces;
mod process;
mod service;
mod store;
mod track;

use crate::kind::Kind;
use crate::knob::Knob;

const PROFILE: Knob = Knob::new(
    "profile",
    Kind::Choice(&["fast", "low_power", "balanced", "high", "high_accuracy"]),
    "",
    "The named set of values that all others start from. `balanced`, for most videos: 4 frames a second of 24, faces \
     from 32 px. `fast`, for backlogs and small machines where faces under 40 px do not matter: 3 frames a second, \
     fewer pictures and vectors of each person. `high`, for crowds and wide shots: 8 frames a second, faces from \
     20 px, twice the pictures, at about three times the work. `low_power` is another name of `fast`, \
     `high_accuracy` of `high`.",
);

/// All settings, group by group.
pub fn all() -> impl Iterator<Item = &'static Knob> {
    [
        std::slice::from_ref(&PROFILE),
        detect::KNOBS,
        track::KNOBS,
        faces::KNOBS,
        process::KNOBS,
        store::KNOBS,
        service::KNOBS,
    ]
    .into_iter()
    .flatten()
}

/// The setting at `path`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Knob> {
    all().find(|knob| knob.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use facereel_domain::settings::{PipelineSettings, Settings};

    use super::*;
    use crate::knob::Scope;
    use crate::paths;

    #[test]
    fn the_table_and_the_settings_have_exactly_the_same_leaves() {
        let declared: Vec<_> = all().map(|k| k.path.to_owned()).collect();
        let distinct: BTreeSet<_> = declared.iter().cloned().collect();
        let stored: BTreeSet<_> = paths::leaves(&Settings::default()).unwrap().into_keys().collect();
        assert_eq!(distinct, stored);
        assert_eq!(distinct.len(), declared.len(), "a setting is declared twice");
    }

    #[test]
    fn what_determines_artifacts_is_the_pipeline_without_the_places_of_model_files() {
        let declared: BTreeSet<_> =
            all().filter(|k| k.scope() == Scope::Artifacts).map(|k| k.path.to_owned()).collect();
        let mut stored: BTreeSet<_> =
            paths::pipeline_leaves(&PipelineSettings::default()).unwrap().into_keys().collect();
        stored.retain(|path| !path.ends_with(".model_file"));
        assert_eq!(declared, stored);
    }

    #[test]
    fn every_default_and_every_value_of_a_profile_is_allowed() {
        let defaults = paths::leaves(&Settings::default()).unwrap();
        for knob in all() {
            assert!(
                knob.kind.accept(&defaults[knob.path]).is_some(),
                "{} = {}",
                knob.path,
                defaults[knob.path]
            );
            for text in [knob.fast, knob.high].into_iter().flatten() {
                let value = knob.kind.parse(text);
                assert!(value.is_some(), "{} = {text}", knob.path);
                assert_ne!(value.as_ref(), Some(&defaults[knob.path]), "{} repeats its default", knob.path);
            }
        }
    }

    #[test]
    fn no_older_name_means_two_settings() {
        let names: Vec<_> = all().flat_map(|k| k.legacy).map(|l| l.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn every_knob_says_what_it_does() {
        for knob in all() {
            assert!(knob.doc.len() > 30 && knob.doc.ends_with('.'), "{}", knob.path);
        }
    }
}
