//! Everything in the tracker is in seconds: the same film gives the same tracks at every frame rate. Where frames come
//! faster than they can be numbered, the run is sound all the same.

use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::Results;
use facereel_tests::{build, media};
use rstest::rstest;
use serde_json::Value;
use tempfile::tempdir;

/// First and last second of every track, shot by shot.
fn tracks(fps: u32) -> Vec<(u64, f64, f64)> {
    let out = build::made_once(&format!("run-at-{fps}"), |folder| {
        let settings = ["--no-embed", "--set", "detect.analyzed_fps=4"];
        Call::run(&Clip::at_rate(fps).video(), folder).with(&settings).succeed();
        Ok(())
    });
    let results = Results::of_only_episode(&out.unwrap_or_else(|error| panic!("{error:#}")));
    let sec = |row: &Value, name: &str| row[name].as_f64().expect("seconds");
    let of_row =
        |row: &Value| (row["shot"].as_u64().expect("a number"), sec(row, "first_ts"), sec(row, "last_ts"));
    results.rows("tracks").iter().map(of_row).collect()
}

#[rstest]
#[case(25)]
#[case(30)]
#[case(60)]
fn the_same_film_has_the_same_tracks_at_any_frame_rate(#[case] fps: u32) {
    let (ours, usual) = (tracks(fps), tracks(24));
    // A face may be found one sample, a quarter of a second, earlier or later.
    let is_same = |a: &(u64, f64, f64), b: &(u64, f64, f64)| {
        a.0 == b.0 && (a.1 - b.1).abs() < 0.3 && (a.2 - b.2).abs() < 0.3
    };
    let same = ours.len() == usual.len() && ours.iter().zip(&usual).all(|(a, b)| is_same(a, b));
    assert!(same, "{ours:?}\n{usual:?}");
}

#[test]
fn frames_faster_than_can_be_numbered_give_a_run_that_is_sound() {
    let folder = tempdir().unwrap();
    let coding = "-vf setpts=PTS/20 -r 480 -c:v libx264 -preset veryfast -threads 2 -sc_threshold 0";
    let quick = Clip::of_quick_shots().video();
    media::ffmpeg(folder.path(), &format!("-i {} {coding} fast.mp4", quick.display()));
    let out = folder.path().join("out");
    Call::run(&folder.path().join("fast.mp4"), &out).with(&["--stride", "1"]).succeed();
    let results = Results::of_only_episode(&out);
    let last = results.rows("shots").last().unwrap()["last_frame_idx"].as_u64().unwrap();
    assert!(last < 200, "every frame has a number of its own, up to {last}");
    assert!(!results.rows("tracks").is_empty());
    Call::verify(&out).succeed();
}
