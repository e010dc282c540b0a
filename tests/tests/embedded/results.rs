//! What a run finds in a clip whose faces are known, and that it writes everything it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use facereel_tests::build;
use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::{FoundFace, Results, entries};
use facereel_tests::schemas::assert_fits;
use facereel_tests::truth::{self, TrueFace};

/// Faces less visible than this are not asked for.
const VISIBLE: f32 = 0.4;
/// The smallest face that the defaults look for, in pixels.
const SMALLEST_PX: f32 = 32.0;
/// From this size on a face is seen so well that it must have a track. At the smallest size detectors are too unsure to
/// begin one.
const SURE_PX: f32 = 40.0;

/// The store of a run with the defaults, which all tests here share.
fn store() -> PathBuf {
    let folder = build::made_once("run-with-defaults", |folder| {
        Call::run(&Clip::of_everything().video(), folder).succeed();
        Ok(())
    });
    folder.unwrap_or_else(|error| panic!("{error:#}"))
}

fn results() -> Results {
    Results::of_only_episode(&store())
}

/// The true face that each detection shows: the one with the largest overlap, if that is 0.4 or more.
fn matched<'a>(found: &'a [FoundFace], truth: &'a [TrueFace]) -> Vec<(&'a FoundFace, &'a TrueFace)> {
    let best = |face: &FoundFace| {
        let there = truth.iter().filter(|t| t.frame_idx == face.frame_idx);
        let nearest = there.max_by(|a, b| face.bbox.iou(&a.bbox).total_cmp(&face.bbox.iou(&b.bbox)))?;
        (face.bbox.iou(&nearest.bbox) >= 0.4).then_some(nearest)
    };
    found.iter().filter_map(|face| Some((face, best(face)?))).collect()
}

#[test]
fn every_promised_file_is_there_and_passes_verification() {
    let results = results();
    let run = results.run();
    for file in [
        "manifests/detections.jsonl",
        "manifests/tracks.jsonl",
        "manifests/faces.jsonl",
        "manifests/track_metrics.json",
        "manifests/shots.jsonl",
        "embeds/faces.npy",
        "embeds/tracks.npy",
        "settings.json",
        "manifest.json",
        "run_stats.json",
        "progress.json",
    ] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }
    for (file, schema) in [("settings", "settings"), ("run_stats", "run-stats"), ("progress", "progress")] {
        assert_fits(schema, &results.json(&format!("{file}.json")));
    }
    assert!(results.episode.join("current.json").is_file());
    assert!(!run.join("work").exists(), "intermediate objects stayed behind");
    let said = Call::verify(&store()).succeed().said;
    assert!(said.starts_with("good"), "{said}");
}

#[test]
fn the_episodes_own_folders_lead_to_the_finished_run() {
    let results = results();
    let lines = std::fs::read_to_string(results.episode.join("manifests/tracks.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), results.rows("tracks").len());
    let crops = entries(&results.episode.join("frames/crops"));
    assert_eq!(crops.len(), results.rows("tracks").len());
    assert!(crops[0].ends_with("track_0001"), "{crops:?}");
}

#[test]
fn nine_of_ten_visible_faces_are_found_and_nothing_else_is_taken_for_one() {
    let (truth, found) = (truth::faces(&Clip::of_everything().folder), results().faces());
    let analysed: BTreeSet<u64> = found.iter().map(|face| face.frame_idx).collect();
    let wanted: Vec<&TrueFace> = truth
        .iter()
        .filter(|t| {
            analysed.contains(&t.frame_idx) && t.visibility >= VISIBLE && t.bbox.short_side() >= SMALLEST_PX
        })
        .collect();
    let hits: BTreeSet<(u64, &str)> =
        matched(&found, &truth).iter().map(|(f, t)| (f.frame_idx, t.identity.as_str())).collect();
    let recall = wanted.iter().filter(|t| hits.contains(&(t.frame_idx, t.identity.as_str()))).count() as f64
        / wanted.len() as f64;
    assert!(recall >= 0.9, "recall {recall} of {}", wanted.len());

    let tracked: Vec<FoundFace> = found.into_iter().filter(|face| face.track_id.is_some()).collect();
    let precision = matched(&tracked, &truth).len() as f64 / tracked.len() as f64;
    assert!(precision >= 0.97, "{precision} of {}", tracked.len());
}

#[test]
fn every_person_of_each_shot_has_a_track_and_no_track_two_persons() {
    let (truth, found) = (truth::faces(&Clip::of_everything().folder), results().faces());
    let mut persons: BTreeMap<u64, BTreeSet<(u64, &str)>> = BTreeMap::new();
    for (face, person) in matched(&found, &truth) {
        if let Some(track) = face.track_id {
            persons.entry(track).or_default().insert((person.shot, person.identity.as_str()));
        }
    }
    let mixed: Vec<_> = persons.iter().filter(|(_, persons)| persons.len() > 1).collect();
    assert!(mixed.is_empty(), "{mixed:?}");
    // Asked for is who can be seen well for half a second.
    let mut seen: BTreeMap<(u64, &str), usize> = BTreeMap::new();
    for t in truth.iter().filter(|t| t.visibility >= VISIBLE && t.bbox.short_side() >= SURE_PX) {
        *seen.entry((t.shot, t.identity.as_str())).or_default() += 1;
    }
    let tracked: BTreeSet<(u64, &str)> = persons.into_values().flatten().collect();
    let missed: Vec<_> =
        seen.into_iter().filter(|(person, frames)| *frames >= 12 && !tracked.contains(person)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn shots_begin_where_the_film_was_cut_and_not_at_the_flash() {
    let cuts = results().cuts();
    let shots = truth::shots(&Clip::of_everything().folder);
    let hard: Vec<u64> = shots.iter().filter(|s| s.transition == "cut").map(|s| s.first_frame).collect();
    let missing: Vec<_> = hard.iter().filter(|cut| !cuts.contains(cut)).collect();
    assert!(missing.is_empty(), "{missing:?} of {cuts:?}");
    // What else there is comes out of black, within the half second that it takes to see something.
    let others: Vec<u64> = cuts.into_iter().filter(|cut| !hard.contains(cut)).collect();
    let fades: Vec<u64> = shots.iter().filter(|s| s.transition == "fade").map(|s| s.first_frame).collect();
    assert_eq!(others.len(), fades.len(), "{others:?}");
    assert!(others.iter().zip(&fades).all(|(at, fade)| (*fade..fade + 12).contains(at)), "{others:?}");
}

#[test]
fn a_close_up_of_four_fifths_of_the_height_is_found() {
    let shots = truth::shots(&Clip::of_everything().folder);
    let close_up = shots.iter().find(|shot| shot.kind == "close_up").expect("the clip has a close-up");
    let faces = results().faces();
    let tallest = faces
        .iter()
        .filter(|face| (close_up.first_frame..=close_up.last_frame).contains(&face.frame_idx))
        .map(|face| face.bbox.height())
        .fold(0.0, f32::max);
    assert!(tallest > 0.7 * 360.0, "{tallest} px");
}

#[test]
fn where_nothing_moves_detections_are_reused_unchanged() {
    let shots = truth::shots(&Clip::of_everything().folder);
    let (first, last) = shots.iter().find_map(|shot| shot.still).expect("the clip has a static stretch");
    let mut by_frame: BTreeMap<u64, Vec<FoundFace>> = BTreeMap::new();
    for face in results().faces().into_iter().filter(|face| (first..=last).contains(&face.frame_idx)) {
        by_frame.entry(face.frame_idx).or_default().push(face);
    }
    let frames: Vec<&Vec<FoundFace>> = by_frame.values().collect();
    let fresh = frames.iter().filter(|faces| faces.iter().any(|face| !face.reused)).count();
    assert!(frames.len() >= 6 && fresh <= 2, "{fresh} of {} frames were looked at afresh", frames.len());
    for pair in frames.windows(2).filter(|pair| pair[1][0].reused) {
        let boxes = |faces: &[FoundFace]| faces.iter().map(|face| face.bbox).collect::<Vec<_>>();
        assert_eq!(boxes(pair[0]), boxes(pair[1]));
    }
}

#[test]
fn a_damaged_artifact_fails_verification_and_is_named() {
    let copy = tempfile::tempdir().unwrap();
    Call::run(&Clip::of_everything().video(), copy.path()).with(&["--no-embed", "--stride", "24"]).succeed();
    let damaged = Results::of_only_episode(copy.path()).run().join("manifests/tracks.jsonl");
    let text = std::fs::read_to_string(&damaged).unwrap();
    std::fs::write(&damaged, text.replacen("\"track_id\":1,", "\"track_id\":7,", 1)).unwrap();
    let ended = Call::verify(copy.path()).finish();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("manifests/tracks.jsonl"), "{}", ended.said);
}
