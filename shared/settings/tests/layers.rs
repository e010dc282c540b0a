//! What people write becomes settings: precedence, refusals, what is shown.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not covered by allow-unwrap-in-tests")]

use std::fs;
use std::path::PathBuf;

use facereel_domain::settings::{LogFormat, Profile, Settings};
use facereel_settings::{Kind, Loader, Override, Resolved, SettingsError, Source, knobs, render_table};
use proptest::prelude::*;
use tempfile::TempDir;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn set(text: &str) -> Override {
    Override::assignment(text).unwrap()
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facereel.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn refusal(result: Result<Resolved, SettingsError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn without_any_input_the_defaults_apply() {
    let resolved = Loader::new().load().unwrap();
    assert_eq!(resolved.settings, Settings::default());
    assert!(resolved.sources.values().all(|source| *source == Source::Default));
    assert!(resolved.notes.is_empty());
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let (_folder, path) = file("[detect]\nstride = 20\n");
    let stride = |loader: Loader| {
        let resolved = loader.load().unwrap();
        (resolved.settings.pipeline.detect.stride, resolved.sources["detect.stride"].clone())
    };
    let profile = Loader::new().profile("fast");
    assert_eq!(stride(profile.clone()), (8, Source::Profile(Profile::Fast)));
    let file = profile.file(&path);
    assert_eq!(stride(file.clone()), (20, Source::File(path)));
    let environment = file.env(env(&[("FACEREEL__DETECT__STRIDE", "21")]));
    assert_eq!(stride(environment.clone()), (21, Source::Environment("FACEREEL__DETECT__STRIDE".to_owned())));
    let command_line = environment.overrides([set("detect.stride=22")]);
    assert_eq!(stride(command_line), (22, Source::CommandLine("--set".to_owned())));
}

#[test]
fn the_profile_itself_follows_the_layers_and_never_beats_what_was_written() {
    let (_folder, path) = file("profile = \"low_power\"\n[detect]\nmin_face_px = 50\n");
    let loader = Loader::new().file(path);
    let fast = loader.clone().load().unwrap().settings;
    assert_eq!((fast.profile, fast.pipeline.detect.stride), (Profile::Fast, 8));
    let high = loader.env(env(&[("FACEREEL__PROFILE", "high_accuracy")])).load().unwrap().settings;
    assert_eq!((high.profile, high.pipeline.detect.stride), (Profile::High, 3));
    assert_eq!(high.pipeline.detect.min_face_px, 50);
}

#[test]
fn every_type_of_value_is_read_from_a_file_and_from_text() {
    let written = "[source]\nallowed_roots = [\"/a\", \"s3://b\"]\n[shots]\nenabled = false\ncooldown_sec = 2\n\
                   [log]\nformat = \"json\"\n";
    let (_folder, path) = file(written);
    let from_file = Loader::new().file(path).load().unwrap().settings;
    let from_text = Loader::new()
        .overrides(
            [
                "source.allowed_roots=/a,s3://b",
                "shots.enabled=off",
                "shots.cooldown_sec=2",
                "log.format=json",
            ]
            .map(set),
        )
        .load()
        .unwrap()
        .settings;
    assert_eq!(from_file, from_text);
    assert_eq!(from_file.runtime.source.allowed_roots, ["/a", "s3://b"]);
    assert_eq!(from_file.runtime.log.format, LogFormat::Json);
    assert!((from_file.pipeline.shots.cooldown_sec - 2.0).abs() < 1e-12 && !from_file.pipeline.shots.enabled);
}

#[test]
fn unknown_keys_are_refused_everywhere_with_the_nearest_name() {
    let (_folder, path) = file("[detect]\nstrde = 3\n");
    let in_file = refusal(Loader::new().file(&path).load());
    assert!(
        in_file.contains("'detect.strde'") && in_file.contains("did you mean 'detect.stride'?"),
        "{in_file}"
    );
    assert!(in_file.contains(&path.display().to_string()), "{in_file}");
    let in_env = refusal(Loader::new().env(env(&[("FACEREEL__DETECT__STRID", "3")])).load());
    assert!(in_env.contains("did you mean 'FACEREEL__DETECT__STRIDE'?"), "{in_env}");
    let on_line = refusal(Loader::new().overrides([set("stride=3")]).load());
    assert!(on_line.contains("did you mean 'detect.stride'?") && on_line.contains("--set"), "{on_line}");
}

#[test]
fn a_value_in_place_of_a_group_is_refused() {
    let (_folder, path) = file("detect = 3\n");
    assert!(refusal(Loader::new().file(path).load()).contains("unknown setting 'detect'"));
}

#[test]
fn values_outside_their_range_are_refused_with_path_value_range_and_source() {
    let error = refusal(Loader::new().env(env(&[("FACEREEL__DETECT__STRIDE", "0")])).load());
    for part in ["detect.stride = 0", "environment FACEREEL__DETECT__STRIDE", "a whole number from 1 to 1000"]
    {
        assert!(error.contains(part), "{error}");
    }
    let (_folder, path) = file("[detect]\nstride = \"6\"\n");
    assert!(refusal(Loader::new().file(path).load()).contains("a whole number"));
}

#[test]
fn contradictions_between_layers_are_refused() {
    let loader = Loader::new().env(env(&[("FACEREEL__TRACK__LOW_THRESH", "0.5")]));
    loader.clone().load().unwrap();
    let error = refusal(loader.overrides([set("track.high_thresh=0.4")]).load());
    assert!(error.contains("track.low_thresh = 0.5 must not be above track.high_thresh = 0.4"), "{error}");
}

#[test]
fn files_that_are_missing_or_no_toml_are_named() {
    assert!(refusal(Loader::new().file("/nowhere/facereel.toml").load()).contains("/nowhere/facereel.toml"));
    let (_folder, path) = file("[queue]\nurl = amqp://guest:hunter2@rabbit\n");
    let error = refusal(Loader::new().file(&path).load());
    assert!(error.contains(&path.display().to_string()) && !error.contains("hunter2"), "{error}");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let resolved =
        Loader::new().env(env(&[("FACEREEL__DETECT__STRIDE", ""), ("TRACK_BUFFER", "")])).load().unwrap();
    assert_eq!(resolved.settings, Settings::default());
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = env(&[("PATH", "/bin"), ("FACEREEL_TEST_QUEUE_URL", "x"), ("SCREENALYTICS_API_URL", "y")]);
    assert_eq!(Loader::new().env(others).load().unwrap().settings, Settings::default());
}

#[test]
fn models_lie_in_the_users_cache_folder_unless_told_otherwise() {
    let dir =
        |pairs: &[(&str, &str)]| Loader::new().env(env(pairs)).load().unwrap().settings.runtime.models.dir;
    assert_eq!(dir(&[("HOME", "/home/ann")]), "/home/ann/.cache/facereel/models");
    assert_eq!(dir(&[("HOME", "/home/ann"), ("XDG_CACHE_HOME", "/cache")]), "/cache/facereel/models");
    assert_eq!(dir(&[("HOME", "/home/ann"), ("FACEREEL__MODELS__DIR", "/m")]), "/m");
}

#[test]
fn the_table_shows_value_unit_and_source_but_no_credentials() {
    let url = "amqp://guest:hunter2@rabbit:5672/films";
    let resolved = Loader::new()
        .profile("fast")
        .overrides([Override::flag("--queue", "queue.url", url)])
        .load()
        .unwrap();
    let table = render_table(&resolved).unwrap();
    let line = |path: &str| {
        let found = table.lines().find(|l| l.starts_with(path)).unwrap();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("queue.url"), "queue.url amqp://***@rabbit:5672/films URL command line --queue");
    assert_eq!(line("detect.stride"), "detect.stride 8 frames profile fast");
    assert_eq!(line("track.high_thresh"), "track.high_thresh 0.6 default");
    assert!(!table.contains("hunter2"));
    let report = serde_json::to_string(&resolved.report().unwrap()).unwrap();
    assert!(report.contains("command line --queue") && !report.contains("hunter2"), "{report}");
}

#[test]
fn a_refused_url_keeps_its_password_to_itself() {
    let secret = "amqp://u:hunter2@h";
    let errors = [
        refusal(Loader::new().overrides([Override::flag("--stride", "detect.stride", secret)]).load()),
        Override::assignment(secret).unwrap_err().to_string(),
    ];
    assert!(errors.iter().all(|e| !e.contains("hunter2")), "{errors:?}");
}

proptest! {
    #[test]
    fn no_number_outside_its_range_ever_becomes_a_setting(n in prop_oneof![-1e7..1e7_f64, -2.0..2.0_f64]) {
        for knob in knobs::all() {
            let (low, high) = match knob.kind {
                Kind::Integer(low, high) => (f64::from(low), f64::from(high)),
                Kind::Number(low, high) => (low, high),
                _ => continue,
            };
            let inside = low <= n && n <= high;
            let loaded = Loader::new().overrides([Override::flag("--set", knob.path, &n.to_string())]).load();
            prop_assert!(inside || matches!(loaded, Err(SettingsError::NotAllowed { .. })), "{} = {n}", knob.path);
        }
    }
}
