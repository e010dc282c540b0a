//! The same video with the same settings gives the same bytes, however the work was done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::{Results, differences, entries};
use facereel_tests::{build, media};
use rstest::rstest;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

/// Small pieces of work, so that there is something to divide and to interrupt.
pub(super) const PIECES: [&str; 4] = ["--set", "detect.segment_sec=2", "--set", "embed.job_faces=8"];

fn run_in_pieces(out: &Path) -> Call {
    Call::run(&Clip::of_everything().video(), out).with(&PIECES)
}

pub(super) fn artifacts(out: &Path) -> BTreeMap<String, Vec<u8>> {
    Results::of_only_episode(out).artifacts()
}

/// The artifacts of one worker that nobody disturbed.
pub(super) fn undisturbed() -> BTreeMap<String, Vec<u8>> {
    artifacts(&undisturbed_folder())
}

/// What one worker that nobody disturbed left behind.
pub(super) fn undisturbed_folder() -> PathBuf {
    let folder = build::made_once("run-in-pieces", |folder| {
        run_in_pieces(folder).with(&["--workers", "1"]).succeed();
        Ok(())
    });
    folder.unwrap_or_else(|error| panic!("{error:#}"))
}

/// How many objects of a kind (`detections`, `embeddings`) the run has finished so far.
fn parts(out: &Path, kind: &str) -> usize {
    let runs = entries(&out.join("episodes")).into_iter().flat_map(|episode| entries(&episode.join("runs")));
    let is_whole = |path: &std::path::PathBuf| path.extension().is_some_and(|e| e == "mpk");
    runs.map(|run| entries(&run.join("work").join(kind)).into_iter().filter(is_whole).count()).sum()
}

#[rstest]
#[case::two("2")]
#[case::four("4")]
fn any_number_of_workers_gives_the_same_bytes(#[case] workers: &str) {
    let out = tempdir().unwrap();
    run_in_pieces(out.path()).with(&["--workers", workers]).succeed();
    assert_eq!(differences(&undisturbed(), &artifacts(out.path())), Vec::<String>::new());
}

#[rstest]
#[case::while_detecting("detections", 2)]
#[case::while_embedding("embeddings", 1)]
fn a_run_that_was_killed_continues_to_the_same_bytes(#[case] kind: &str, #[case] done: usize) {
    let out = tempdir().unwrap();
    let mut running = run_in_pieces(out.path()).with(&["--workers", "1"]).start();
    assert!(running.wait_until(|_| parts(out.path(), kind) >= done), "it ended before {kind}");
    running.signal(Signal::KILL);
    assert_eq!(running.finish().code, None);
    assert!(
        !Results::of_only_episode(out.path()).run().join("manifest.json").exists(),
        "it was killed too late"
    );

    run_in_pieces(out.path()).with(&["--workers", "2"]).succeed();
    assert_eq!(differences(&undisturbed(), &artifacts(out.path())), Vec::<String>::new());
}

#[test]
fn a_run_that_was_stopped_says_so_continues_and_keeps_its_parts() {
    let out = tempdir().unwrap();
    let mut running = run_in_pieces(out.path()).with(&["--workers", "1"]).start();
    assert!(running.wait_until(|_| parts(out.path(), "detections") >= 2));
    running.signal(Signal::INT);
    let ended = running.finish();
    assert_eq!(ended.code, Some(130), "{}", ended.said);
    assert!(ended.said.contains("the same command continues"), "{}", ended.said);
    assert!(parts(out.path(), "detections") >= 2);

    run_in_pieces(out.path()).succeed();
    assert_eq!(differences(&undisturbed(), &artifacts(out.path())), Vec::<String>::new());
}

#[test]
fn a_finished_run_is_not_done_again() {
    let out = tempdir().unwrap();
    let quick = Call::run(&Clip::of_everything().video(), out.path()).with(&["--no-embed", "--stride", "24"]);
    quick.succeed();
    let stats = Results::of_only_episode(out.path()).json("run_stats.json");
    let said = quick.succeed().said;
    assert!(said.contains("already complete"), "{said}");
    assert_eq!(Results::of_only_episode(out.path()).json("run_stats.json"), stats);
}

#[test]
fn a_run_that_is_forced_is_done_again_to_the_same_bytes() {
    let out = tempdir().unwrap();
    let quick = Call::run(&Clip::of_everything().video(), out.path()).with(&["--no-embed", "--stride", "24"]);
    quick.succeed();
    let first = artifacts(out.path());
    let said = quick.clone().with(&["--force"]).succeed().said;
    assert!(!said.contains("already complete"), "{said}");
    assert_eq!(differences(&first, &artifacts(out.path())), Vec::<String>::new());
}

#[test]
fn where_the_video_is_cut_into_segments_changes_no_track() {
    let out = tempdir().unwrap();
    // `undisturbed` has segments of two seconds, this has one alone.
    Call::run(&Clip::of_everything().video(), out.path())
        .with(&["--set", "detect.segment_sec=600", "--set", "embed.job_faces=8"])
        .succeed();
    let (whole, pieces) = (artifacts(out.path()), undisturbed());
    assert_ne!(whole["manifest.json"], pieces["manifest.json"], "the settings are part of the run's name");
    assert_eq!(differences_but_for_the_name(&whole, &pieces), Vec::<String>::new());
}

#[test]
fn nor_do_short_shots_and_wide_looks_depend_on_it() {
    let folder = tempdir().unwrap();
    let quick = Clip::of_quick_shots().video();
    // Four times side by side: wide enough for two looks, with small faces; segments begin within shots of half a second.
    let beside = "split=4[a][b][c][d];[a][b][c][d]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0";
    let coding = "-c:v libx264 -preset veryfast -threads 2 -g 7 -sc_threshold 0";
    media::ffmpeg(folder.path(), &format!("-i {} -vf {beside} {coding} wide.mp4", quick.display()));
    let run = |setting| {
        let out = tempdir().unwrap();
        Call::run(&folder.path().join("wide.mp4"), out.path())
            .with(&["--no-embed", "--set", "detect.min_face_px=12", "--set", setting])
            .succeed();
        (artifacts(out.path()), Results::of_only_episode(out.path()).rows("detections"))
    };
    let (whole, detections) = run("detect.segment_sec=600");
    let (pieces, _) = run("detect.segment_sec=1");
    assert_eq!(differences_but_for_the_name(&whole, &pieces), Vec::<String>::new());

    let between_samples = |row: &Value| row["frame_idx"].as_u64().unwrap() % 6 == 3;
    assert!(detections.iter().any(between_samples), "no shot was looked at twice as often");
    let (_, of_one_look) = run("detect.input_width=640");
    assert_ne!(detections, of_one_look, "a look in the wide showed nothing");
}

/// What differs beside the manifest, which holds the run's name.
fn differences_but_for_the_name(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    differences(a, b).into_iter().filter(|name| name != "manifest.json").collect()
}
