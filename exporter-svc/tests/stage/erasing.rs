//! Faces are erased from good runs: what must be gone is gone, the rest is whole, and dying on the way changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use exporter_svc::erase::{EraseError, Order, Scope, clear_uncommitted, erase, leftovers, preview};
use exporter_svc::npy;
use facereel_domain::ids::{RunRef, TrackId};
use facereel_domain::layout::RunLayout;
use facereel_domain::settings::ExportSettings;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, Store};
use rstest::rstest;
use serde_json::{Value, json};

use crate::damage::{DETECTIONS, FACES, METRICS, Run, SHOTS, TRACKS};
use crate::episode::Episode;
use crate::harness::{Objects, export, objects, prepared};

const VECTORS: [&str; 2] = ["embeds/faces.npy", "embeds/tracks.npy"];

fn everybody() -> Order {
    Order { scope: Scope::Run, reason: None, clock: || 7 }
}

fn tracks(numbers: &[u32]) -> Order {
    let numbers: BTreeSet<TrackId> = numbers.iter().copied().map(TrackId).collect();
    Order { scope: Scope::Tracks(numbers), ..everybody() }
}

async fn erased(order: &Order) -> Run {
    let run = Run::good().await;
    erase(&*run.store, &run.run, order).await.unwrap();
    run
}

async fn lines(run: &Run, path: &str) -> Vec<String> {
    String::from_utf8(run.read(path).await.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

fn is_of(line: &str, track: u32) -> bool {
    serde_json::from_str::<Value>(line).unwrap()["track_id"] == track
}

/// Names of the objects that hold what every JPEG or every file of vectors begins with.
fn with_faces(objects: &Objects) -> Vec<&str> {
    let holds = |bytes: &[u8], magic: &[u8]| bytes.windows(magic.len()).any(|at| at == magic);
    let has_face = |bytes: &[u8]| holds(bytes, b"\xFF\xD8\xFF") || holds(bytes, b"\x93NUMPY");
    objects.iter().filter(|(_, bytes)| has_face(bytes)).map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn of_an_erased_track_only_number_and_shot_are_left() {
    let run = erased(&tracks(&[2])).await;
    let report = run.report().await;
    assert_eq!(report.problems, []);
    assert_eq!(report.erased[0].tracks, Some(vec![TrackId(2)]));
    for path in [DETECTIONS, FACES] {
        assert!(lines(&run, path).await.iter().all(|line| !is_of(line, 2)), "{path}");
    }
    let left: Value = serde_json::from_str(&lines(&run, TRACKS).await[1]).unwrap();
    assert_eq!(
        (&left["track_id"], &left["erased"], &left["bboxes_sampled"]),
        (&json!(2), &json!(true), &json!([]))
    );
    let listed = objects(&*run.store).await;
    assert!(listed.keys().all(|name| !name.contains("track_0002")), "{:?}", listed.keys());
}

#[tokio::test]
async fn other_tracks_stay_byte_for_byte_and_keep_their_vectors() {
    let (before, after) = (Run::good().await, erased(&tracks(&[2])).await);
    for path in [DETECTIONS, FACES, TRACKS] {
        let kept = |lines: Vec<String>| lines.into_iter().filter(|line| !is_of(line, 2)).collect::<Vec<_>>();
        assert_eq!(kept(lines(&before, path).await), kept(lines(&after, path).await), "{path}");
    }
    let (was, is) = (objects(&*before.store).await, objects(&*after.store).await);
    let rewritten =
        [DETECTIONS, FACES, TRACKS, VECTORS[0], VECTORS[1]].map(|path| before.key(path).to_string());
    for (name, bytes) in was.iter().filter(|(name, _)| !name.contains("track_0002")) {
        assert!(rewritten.contains(name) || is.get(name) == Some(bytes), "{name} is another one");
    }
    for path in VECTORS {
        let rows = if path == VECTORS[0] { FACES } else { TRACKS };
        let gone: BTreeSet<u64> = lines(&before, rows)
            .await
            .iter()
            .filter(|line| is_of(line, 2))
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["embedding_row"].as_u64())
            .collect();
        assert!(!gone.is_empty(), "{path}");
        let (was, is) =
            (npy::decode(&before.read(path).await).unwrap(), npy::decode(&after.read(path).await).unwrap());
        for (number, (was, is)) in (0..).zip(was.rows.iter().zip(&is.rows)) {
            let is_zero = is.iter().all(|value| *value == 0.0);
            assert!(if gone.contains(&number) { is_zero } else { was == is }, "{path} row {number}");
        }
    }
}

#[tokio::test]
async fn a_run_whose_faces_were_all_erased_holds_no_picture_no_vector_and_no_row_of_a_face() {
    let run = Run::good().await;
    assert!(!with_faces(&objects(&*run.store).await).is_empty());
    run.write("work/chips/00000.pack", b"\xFF\xD8\xFF".to_vec()).await;
    erase(&*run.store, &run.run, &everybody()).await.unwrap();
    let left = objects(&*run.store).await;
    assert_eq!(with_faces(&left), Vec::<&str>::new());
    let names: Vec<_> =
        left.keys().map(|name| name.trim_start_matches(RunLayout::new(&run.run).prefix())).collect();
    let expected = [
        "episodes/TEST-S01E01/current.json",
        "/erasures/0001-begun.json",
        "/erasures/0001-done.json",
        "/manifest.json",
        "/manifests/shots.jsonl",
        "/manifests/track_metrics.json",
        "/request.mpk",
    ];
    assert_eq!(names.iter().filter(|name| !expected[1..].contains(name)).count(), 1, "{names:?}");
    assert_eq!(names.len(), expected.len(), "{names:?}");
    let report = run.report().await;
    assert_eq!((report.problems, report.erased.len()), (vec![], 1));
    assert_eq!(report.erased[0].tracks, None);
}

/// The store after an erasure that nobody disturbed, and how many operations it took.
async fn undisturbed(order: &Order) -> (Objects, u64) {
    let run = Run::good().await;
    let counting = FaultyStore::new(run.store.clone(), []);
    erase(&counting, &run.run, order).await.unwrap();
    (objects(&*run.store).await, counting.operations())
}

#[rstest]
#[case::of_everybody(everybody())]
#[case::of_tracks(tracks(&[1, 3]))]
#[tokio::test]
async fn dying_at_any_step_and_starting_again_ends_the_same(#[case] order: Order) {
    let (expected, operations) = undisturbed(&order).await;
    let mut unfinished = 0;
    for number in 1..=operations {
        for fault in [StoreFault::FailNth(number), StoreFault::LoseReplyOfNth(number)] {
            let run = Run::good().await;
            let dying = FaultyStore::new(run.store.clone(), [fault.clone()]);
            // Where the answer is that something is absent, losing it is not noticed.
            if let Err(died) = erase(&dying, &run.run, &order).await {
                assert!(matches!(died, EraseError::Store(_)), "{fault:?}: {died}");
            }
            // Nothing was taken yet, or it is told what to do, or nothing is left to do.
            let report = run.report().await;
            if !report.is_good() {
                unfinished += 1;
                let says = &report.problems[0].what;
                assert!(
                    says.contains("`facereel erase TEST-S01E01 --run") && report.problems.len() == 1,
                    "{says}"
                );
                assert!(preview(&*run.store, &run.run, &order).await.unwrap().unfinished.is_some());
            }
            erase(&*run.store, &run.run, &order).await.unwrap();
            assert!(objects(&*run.store).await == expected, "{fault:?} left another state");
            assert!(run.report().await.is_good());
        }
    }
    assert!(unfinished > 3, "only {unfinished} of {operations} steps can be seen");
}

#[tokio::test]
async fn whoever_asks_for_something_else_finishes_first_what_was_begun() {
    let run = Run::good().await;
    let dying = FaultyStore::new(run.store.clone(), [StoreFault::CrashAfterWrite("-begun.json".to_owned())]);
    erase(&dying, &run.run, &tracks(&[1])).await.unwrap_err();
    let done = erase(&*run.store, &run.run, &tracks(&[3])).await.unwrap();
    let numbers: Vec<_> = done.iter().map(|record| record.tracks.clone().unwrap()).collect();
    assert_eq!(numbers, [[TrackId(1)], [TrackId(3)]]);
    assert_eq!(run.report().await.problems, []);
}

#[tokio::test]
async fn all_faces_can_be_erased_though_the_erasure_of_a_track_can_not_be_finished() {
    let run = Run::good().await;
    let dying = FaultyStore::new(run.store.clone(), [StoreFault::CrashAfterWrite("-begun.json".to_owned())]);
    erase(&dying, &run.run, &tracks(&[1])).await.unwrap_err();
    run.write(FACES, "nonsense").await;
    let refused = erase(&*run.store, &run.run, &tracks(&[1])).await.unwrap_err();
    assert!(matches!(refused, EraseError::Damaged { .. }), "{refused}");
    let dying =
        FaultyStore::new(run.store.clone(), [StoreFault::CrashAfterWrite("0002-begun.json".to_owned())]);
    erase(&dying, &run.run, &everybody()).await.unwrap_err();
    // Whatever is asked for next finishes the larger one.
    erase(&*run.store, &run.run, &tracks(&[1])).await.unwrap();
    let report = run.report().await;
    assert_eq!((report.problems, report.erased.len()), (vec![], 2));
    assert_eq!(with_faces(&objects(&*run.store).await), Vec::<&str>::new());
}

#[tokio::test]
async fn one_after_another_or_all_at_once_leaves_the_same_files_and_again_changes_nothing() {
    let (one_by_one, at_once) = (erased(&tracks(&[3])).await, erased(&tracks(&[1, 3])).await);
    erase(&*one_by_one.store, &one_by_one.run, &tracks(&[1])).await.unwrap();
    let without_records = |objects: Objects| -> Objects {
        objects.into_iter().filter(|(name, _)| !name.contains("/erasures/")).collect()
    };
    let all = objects(&*one_by_one.store).await;
    assert_eq!(without_records(all.clone()), without_records(objects(&*at_once.store).await));
    assert_eq!(erase(&*one_by_one.store, &one_by_one.run, &tracks(&[1, 3])).await.unwrap(), []);
    assert_eq!(objects(&*one_by_one.store).await, all);
    assert_eq!(one_by_one.report().await.erased.len(), 2);
    erase(&*one_by_one.store, &one_by_one.run, &everybody()).await.unwrap();
    assert_eq!(with_faces(&objects(&*one_by_one.store).await), Vec::<&str>::new());
    assert_eq!(one_by_one.report().await.problems, []);
    assert_eq!(erase(&*one_by_one.store, &one_by_one.run, &tracks(&[2])).await.unwrap(), []);
}

#[rstest]
#[case(DETECTIONS)]
#[case(TRACKS)]
#[case(FACES)]
#[case(SHOTS)]
#[case(METRICS)]
#[case(VECTORS[0])]
#[case(VECTORS[1])]
#[case("frames/crops/track_0002/index.json")]
#[tokio::test]
async fn damage_to_what_is_left_is_found_after_an_erasure(#[case] path: &str) {
    let run = Run::without_its_first_track().await;
    let good = run.read(path).await;
    let mut flipped = good.to_vec();
    flipped[good.len() / 2] ^= 1;
    run.write(path, flipped).await;
    run.assert_problem(path, "its digest is").await;
    run.store.delete(&run.key(path)).await.unwrap();
    run.assert_problem(path, "it is missing").await;
}

#[tokio::test]
async fn what_was_erased_and_comes_back_is_found_and_goes_again() {
    let (good, run) = (Run::good().await, Run::without_its_first_track().await);
    let crop = good.a_crop().await;
    run.write(&crop, good.read(&crop).await).await;
    run.assert_problem(&crop, "it was erased, and is there again").await;
    // Also where others were erased since then.
    erase(&*run.store, &run.run, &tracks(&[1, 3])).await.unwrap();
    assert_eq!(run.report().await.problems, []);
    // Older files in the place of the rewritten ones, as from a backup.
    run.write(VECTORS[0], good.read(VECTORS[0]).await).await;
    run.assert_problem(VECTORS[0], "its digest is").await;
    run.assert_problem(VECTORS[0], "row 0 was erased, and is no row of zeros").await;
}

#[tokio::test]
async fn a_mark_without_a_record_and_a_record_that_does_not_fit_are_named() {
    let run = Run::good().await;
    run.edit((TRACKS, 1), |row| row["erased"] = json!(true)).await;
    run.assert_problem(TRACKS, "track 1 is marked as erased, and no record of it").await;
    let run = Run::without_its_first_track().await;
    let begun = run.read("erasures/0001-begun.json").await;
    let other = String::from_utf8(begun.to_vec()).unwrap().replace("a request", "another one");
    run.write("erasures/0001-begun.json", other).await;
    run.assert_problem("erasures/0001-done.json", "does not belong to the record beside it").await;
    run.write("erasures/0001-begun.json", begun).await;
    run.edit_manifest(|manifest| manifest.warnings.clear()).await;
    run.assert_problem("erasures/0001-begun.json", "the record of another run").await;
}

#[tokio::test]
async fn single_tracks_of_a_damaged_run_are_refused_and_all_faces_of_it_go() {
    let run = Run::good().await;
    run.write(FACES, "nonsense").await;
    let before = objects(&*run.store).await;
    let refused = erase(&*run.store, &run.run, &tracks(&[1])).await.unwrap_err();
    assert!(refused.to_string().contains("manifests/faces.jsonl has another digest"), "{refused}");
    assert_eq!(objects(&*run.store).await, before);
    erase(&*run.store, &run.run, &everybody()).await.unwrap();
    assert_eq!(run.report().await.problems, []);
}

#[tokio::test]
async fn numbers_without_a_track_and_runs_without_a_commit_are_refused() {
    let run = Run::good().await;
    let refused = erase(&*run.store, &run.run, &tracks(&[1, 99])).await.unwrap_err();
    assert!(refused.to_string().contains("there is no track 99: the run has"), "{refused}");
    let run_id = "fedcba9876543210".parse().unwrap();
    let nobody = RunRef { run_id, ..run.run.clone() };
    let refused = erase(&*run.store, &nobody, &everybody()).await.unwrap_err();
    assert!(matches!(refused, EraseError::NotFinished(_)), "{refused}");
}

#[tokio::test]
async fn a_preview_changes_nothing_and_is_what_is_done() {
    let run = Run::good().await;
    let before = objects(&*run.store).await;
    for order in [everybody(), tracks(&[2])] {
        let told = preview(&*run.store, &run.run, &order).await.unwrap();
        assert_eq!(objects(&*run.store).await, before);
        let other = Run::good().await;
        assert_eq!(erase(&*other.store, &other.run, &order).await.unwrap(), [told.next.unwrap()]);
    }
}

#[tokio::test]
async fn an_export_that_did_not_end_leaves_faces_that_can_be_cleared() {
    let episode = Episode::typical();
    let store = prepared(&episode).await;
    let dying = FaultyStore::new(store.clone(), [StoreFault::CrashBeforeWrite("manifest.json".to_owned())]);
    export(&episode, Arc::new(dying), ExportSettings::default()).await.unwrap_err();
    let run = &episode.request.run;
    let left = leftovers(&*store, run).await.unwrap().unwrap();
    assert!(left.objects > 10 && left.written_unix_sec > 0, "{left:?}");
    clear_uncommitted(&*store, run).await.unwrap();
    assert_eq!(leftovers(&*store, run).await.unwrap(), None);
    assert_eq!(
        objects(&*store).await.into_keys().collect::<Vec<_>>(),
        [RunLayout::new(run).request().to_string()]
    );
}
