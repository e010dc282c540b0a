//! What `facereel evaluate` says about runs on clips whose faces are known.

use std::fs;
use std::path::{Path, PathBuf};

use facereel_tests::clip::Clip;
use facereel_tests::media;
use facereel_tests::program::Call;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A run without vectors: tracks are judged, not people.
fn run(clip: &Clip, settings: &[&str]) -> TempDir {
    let out = tempdir().expect("a folder");
    Call::run(&clip.video(), out.path()).with(&["--no-embed"]).with(settings).succeed();
    out
}

fn evaluated(what: &str, clip: &Clip, out: &Path) -> Value {
    let arguments = ["evaluate", what, "--json", "--gt"].map(PathBuf::from).into_iter();
    let call = Call::new(arguments.chain([clip.folder.clone(), "--run".into(), out.to_owned()]));
    serde_json::from_str(&call.succeed().said).expect("the report is JSON")
}

#[test]
fn tracks_and_cuts_of_a_run_are_judged_by_the_clips_folder() {
    let clip = Clip::of_everything();
    let out = run(&clip, &[]);
    let tracks = evaluated("tracks", &clip, out.path());
    assert!(tracks["idf1"].as_f64().unwrap() > 90.0, "{tracks}");
    assert_eq!(tracks["mixing"]["cut_crossing_tracks"], 0, "{tracks}");
    assert!(!tracks["recall_by_size"].as_array().unwrap().is_empty());
    assert!(tracks["detected"]["found"].as_u64() >= Some(1));
    let shots = evaluated("shots", &clip, out.path());
    assert!(shots["recall"].as_f64().unwrap() > 0.8, "{shots}");
}

#[test]
fn video_of_a_variable_frame_rate_is_not_judged_by_frame_numbers() {
    let clip = Clip::short(1);
    let folder = tempdir().unwrap();
    let coding = "-vf select=lt(n\\,20)+not(mod(n\\,3)) -fps_mode vfr -c:v libx264 -preset veryfast";
    media::ffmpeg(folder.path(), &format!("-i {} {coding} vfr.mp4", clip.video().display()));
    let out = folder.path().join("out");
    Call::run(&folder.path().join("vfr.mp4"), &out).with(&["--no-embed"]).succeed();
    let arguments = ["evaluate", "tracks", "--gt"].map(PathBuf::from).into_iter();
    let ended = Call::new(arguments.chain([clip.folder, "--run".into(), out])).finish();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("the video's frame rate is not constant"), "{}", ended.said);
}

#[test]
fn at_one_frame_in_six_tracks_are_no_worse_than_those_of_bytetrack_on_every_frame() {
    let clip = Clip::of_everything();
    let out = tempdir().unwrap();
    let table = out.path().join("table.md");
    let call = ["bench".into(), "trackers".into(), clip.folder, "--markdown".into(), table.clone()];
    Call::new(call).succeed();
    let table = fs::read_to_string(table).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let header = rows.iter().find(|cells| cells.contains(&"IDF1")).expect("a header");
    let column = |name: &str| header.iter().position(|cell| *cell == name).expect(name);
    // IDF1 and tracks over a cut.
    let row = |tracker: &str, stride: &str| -> (f64, u32) {
        let row = rows.iter().find(|cells| cells.get(2) == Some(&tracker) && cells.get(3) == Some(&stride));
        let row = row.unwrap_or_else(|| panic!("{tracker} {stride}: {table}"));
        (row[column("IDF1")].parse().unwrap(), row[column("tracks over a cut")].parse().unwrap())
    };
    let (idf1, over_cuts) = row("facereel", "6");
    for other in ["ByteTrack", "ByteTrack, ended at cuts"] {
        assert!(idf1 >= row(other, "1").0, "{table}");
    }
    assert_eq!(over_cuts, 0, "{table}");
}

#[test]
fn everybody_in_shots_of_half_a_second_is_tracked_wherever_segments_begin() {
    let clip = Clip::of_quick_shots();
    let report = |settings: &[&str]| evaluated("tracks", &clip, run(&clip, settings).path());
    let whole = report(&[]);
    assert_eq!(whole["recall"], 100.0, "{whole}");
    assert_eq!(whole["found_tracks"], whole["truth_tracks"], "{whole}");
    let pieces = report(&["--set", "detect.segment_sec=1"]);
    assert_eq!(whole, pieces);
}

#[test]
fn in_the_dark_cuts_are_found_and_no_track_crosses_one() {
    let clip = Clip::in_the_dark();
    let out = run(&clip, &[]);
    let shots = evaluated("shots", &clip, out.path());
    assert!(shots["recall"].as_f64().unwrap() > 0.8, "{shots}");
    let tracks = evaluated("tracks", &clip, out.path());
    assert_eq!(tracks["mixing"]["cut_crossing_tracks"], 0, "{tracks}");
}

#[test]
fn in_the_dark_the_adaptive_threshold_finds_more_faces_and_hardly_a_false_one_more() {
    let clip = Clip::in_the_dark();
    let report = |settings: &[&str]| evaluated("tracks", &clip, run(&clip, settings).path());
    let (fixed, adaptive) = (report(&[]), report(&["--set", "detect.adaptive_threshold=true"]));
    let figure = |report: &Value, name: &str| report[name].as_f64().unwrap();
    assert!(figure(&adaptive, "recall") > figure(&fixed, "recall"), "{fixed} {adaptive}");
    assert!(figure(&adaptive, "precision") > 95.0, "{adaptive}");
}
