//! The names of the system that facereel succeeds still work, and say what replaces them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not covered by allow-unwrap-in-tests")]

use facereel_settings::{Loader, Override, Resolved, Source, legacy_flags};

fn from_env(name: &str, value: &str) -> Resolved {
    Loader::new().env([(name.to_owned(), value.to_owned())]).load().unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn environment_names_are_read_bare_and_in_both_spellings_of_the_prefix() {
    for prefix in ["", "SCREANALYTICS_", "SCREENALYTICS_"] {
        let name = format!("{prefix}TRACK_PROCESS_SKIP");
        let resolved = from_env(&name, "6");
        assert_eq!(resolved.settings.pipeline.track.process_skip, 6, "{name}");
        assert_eq!(resolved.sources["track.process_skip"], Source::Environment(name.clone()));
        let [note] = resolved.notes.as_slice() else { panic!("{:?}", resolved.notes) };
        assert!(note.contains(&name) && note.contains("--set track.process_skip="), "{note}");
        assert!(note.contains("FACEREEL__TRACK__PROCESS_SKIP"), "{note}");
    }
}

#[test]
fn every_name_of_the_plan_reaches_its_setting() {
    for (name, value, path, shown) in [
        ("TRACK_BUFFER", "48", "track.buffer_sec", "2.0"),
        ("TRACK_CROP_SKIP", "8", "crops.skip", "8"),
        ("CPULIMIT_PERCENT", "250", "limits.cpu_percent", "250"),
        ("TRACK_GATE_EMB_EVERY", "12", "gate.every_sec", "0.5"),
        ("TRACK_GATE_APPEAR_SOFT", "0.75", "gate.soft", "0.75"),
        ("TRACK_GATE_APPEAR_STREAK", "2", "gate.streak", "2"),
        ("TRACK_GATE_IOU", "0.4", "gate.min_iou", "0.4"),
        ("TRACK_GATE_PROTO_MOM", "0.85", "gate.momentum", "0.85"),
        ("BYTE_TRACK_MATCH_THRESH", "0.72", "track.min_iou", "0.28"),
    ] {
        let report = from_env(name, value).report().unwrap();
        let row = report.iter().find(|r| r.path == path).unwrap();
        assert_eq!(row.value, shown, "{name}={value}");
    }
}

#[test]
fn frames_become_seconds_at_the_videos_frame_rate() {
    let flags = [Override::legacy("max-gap", "60"), Override::legacy("scene-cut-cooldown", "24")];
    let resolved = Loader::new().overrides(flags).env([("TRACK_BUFFER".into(), "90".into())]).load().unwrap();
    for fps in [24.0, 25.0, 30_000.0 / 1001.0, 30.0, 60.0] {
        let settings = resolved.with_fps(fps).unwrap().settings;
        assert!(close(settings.pipeline.track.max_gap_sec, 60.0 / fps), "{fps}");
        assert!(close(settings.pipeline.shots.cooldown_sec, 24.0 / fps), "{fps}");
        assert!(close(settings.pipeline.track.buffer_sec, 90.0 / fps), "{fps}");
    }
    assert!(
        close(resolved.settings.pipeline.track.buffer_sec, 3.75),
        "24 frames/s until the video's are known"
    );
}

#[test]
fn seconds_written_in_a_later_layer_are_not_counted_in_frames() {
    let set = Override::assignment("track.buffer_sec=5").unwrap();
    let resolved = Loader::new()
        .env([("TRACK_BUFFER".into(), "90".into())])
        .overrides([set])
        .load()
        .unwrap()
        .with_fps(60.0);
    assert!(close(resolved.unwrap().settings.pipeline.track.buffer_sec, 5.0));
}

#[test]
fn the_new_name_wins_over_the_older_one_in_the_environment() {
    let env = [("TRACK_PROCESS_SKIP", "6"), ("FACEREEL__TRACK__PROCESS_SKIP", "2")];
    let resolved = Loader::new().env(env.map(|(n, v)| (n.to_owned(), v.to_owned()))).load().unwrap();
    assert_eq!(resolved.settings.pipeline.track.process_skip, 2);
}

#[test]
fn frames_that_are_too_many_seconds_at_the_videos_rate_are_refused() {
    let resolved = from_env("TRACK_BUFFER", "1000");
    let error = resolved.with_fps(1.0).unwrap_err().to_string();
    assert!(
        error.contains("track.buffer_sec = 1000 frames at 1 frames/s (environment TRACK_BUFFER)"),
        "{error}"
    );
    for fps in [0.0, -25.0, f64::NAN, f64::INFINITY] {
        assert!(resolved.with_fps(fps).is_err(), "{fps}");
    }
}

#[test]
fn every_older_flag_sets_what_it_says() {
    for flag in legacy_flags() {
        let resolved = Loader::new().overrides([Override::legacy(flag.name, "1")]).load();
        let source = Source::CommandLine(format!("--{}", flag.name));
        assert_eq!(resolved.unwrap().sources[flag.path], source, "{flag:?}");
    }
}

#[test]
fn values_that_do_not_fit_are_refused_under_the_older_name() {
    for (name, value) in
        [("TRACK_BUFFER", "soon"), ("TRACK_BUFFER", "-1"), ("BYTE_TRACK_MATCH_THRESH", "1.5")]
    {
        let error = Loader::new().env([(name.to_owned(), value.to_owned())]).load().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}
