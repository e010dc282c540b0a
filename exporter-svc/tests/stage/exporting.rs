//! The stage as a whole: the commit comes last, a repeat changes nothing, a failure anywhere is made good.

use std::sync::Arc;

use bytes::Bytes;
use exporter_svc::verify::verify_run;
use exporter_svc::{CurrentRun, Manifest};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::embedding::Embedding;
use facereel_domain::layout::{EpisodeLayout, RunLayout};
use facereel_domain::settings::ExportSettings;
use facereel_messages::objects::Tracks;
use facereel_service::stage::Disposition;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, Store};
use rstest::rstest;

use crate::episode::{DIM, Episode, Walk};
use crate::harness::{Objects, export, export_batches, exported, file, objects, prepared};

const MANIFEST: &str = "/manifest.json";

/// If there is a commit, everything that it names is there and whole.
fn assert_no_half_commit(objects: &Objects, when: &str) {
    let Some((key, manifest)) = objects.iter().find(|(key, _)| key.ends_with(MANIFEST)) else { return };
    let folder = key.strip_suffix(MANIFEST).unwrap();
    let manifest: Manifest = serde_json::from_slice(manifest).unwrap();
    for artifact in manifest.artifacts {
        let bytes = objects.get(&format!("{folder}/{}", artifact.path));
        let digest = bytes.map(|bytes| Sha256Digest::of(bytes));
        assert_eq!(digest, Some(artifact.sha256), "{when}: {}", artifact.path);
    }
}

#[tokio::test]
async fn a_job_of_another_number_of_batches_is_refused() {
    let episode = Episode::typical();
    let store = prepared(&episode).await;
    for batches in [0, episode.tracks.batches + 1, u32::MAX] {
        let refused = export_batches(batches, &episode, store.clone(), ExportSettings::default()).await;
        assert_eq!(refused.unwrap_err().disposition, Disposition::Permanent);
    }
    assert!(!objects(&*store).await.keys().any(|key| key.ends_with(MANIFEST)));
}

#[rstest]
#[case::an_operation_fails(StoreFault::FailNth)]
#[case::a_reply_is_lost(StoreFault::LoseReplyOfNth)]
#[tokio::test]
async fn a_fault_at_any_operation_leaves_no_half_commit_and_a_second_try_gives_the_same_bytes(
    #[case] fault: fn(u64) -> StoreFault,
) {
    let episode = Episode::typical();
    let settings = ExportSettings { queue_depth: 8, ..ExportSettings::default() };
    let counting = Arc::new(FaultyStore::new(prepared(&episode).await, []));
    export(&episode, counting.clone(), settings.clone()).await.unwrap();
    let good = objects(&*counting).await;
    let operations = counting.operations();
    for number in 1..=operations {
        let inner = prepared(&episode).await;
        let faulty = Arc::new(FaultyStore::new(inner.clone(), [fault(number)]));
        if export(&episode, faulty, settings.clone()).await.is_ok() {
            // Reading the objects took the counter beyond the export.
            assert_eq!(objects(&*inner).await, good);
            continue;
        }
        assert_no_half_commit(&objects(&*inner).await, &format!("operation {number} failed"));
        export(&episode, inner.clone(), settings.clone()).await.unwrap();
        assert_eq!(objects(&*inner).await, good, "after a second try; operation {number} had failed");
    }
}

#[rstest]
#[case::before_the_commit(StoreFault::CrashBeforeWrite(MANIFEST.to_owned()))]
#[case::after_the_commit(StoreFault::CrashAfterWrite(MANIFEST.to_owned()))]
#[case::before_a_crop(StoreFault::CrashBeforeWrite(".jpg".to_owned()))]
#[case::after_the_tracks(StoreFault::CrashAfterWrite("tracks.jsonl".to_owned()))]
#[case::before_the_pointer(StoreFault::CrashBeforeWrite("current.json".to_owned()))]
#[tokio::test]
async fn a_crash_is_made_good_by_the_next_worker(#[case] fault: StoreFault) {
    let episode = Episode::typical();
    let good = objects(&*exported(&episode).await).await;
    let inner = prepared(&episode).await;
    let faulty = Arc::new(FaultyStore::new(inner.clone(), [fault]));
    assert!(export(&episode, faulty, ExportSettings::default()).await.is_err());
    assert_no_half_commit(&objects(&*inner).await, "after the crash");
    export(&episode, inner.clone(), ExportSettings::default()).await.unwrap();
    assert_eq!(objects(&*inner).await, good);
}

#[tokio::test]
async fn a_full_store_is_an_error_without_a_commit() {
    let episode = Episode::typical();
    let inner = prepared(&episode).await;
    let full = Arc::new(FaultyStore::new(inner.clone(), [StoreFault::FullAfterBytes(2000)]));
    let error = export(&episode, full, ExportSettings::default()).await.unwrap_err();
    assert!(error.chain().contains("the storage is full"), "{}", error.chain());
    assert!(objects(&*inner).await.keys().all(|key| !key.ends_with(MANIFEST)));
}

#[tokio::test]
async fn exporting_a_committed_run_again_changes_nothing() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let before = objects(&*store).await;
    // What the stages before left is gone by now: a repeated job must do without.
    export(&episode, store.clone(), ExportSettings::default()).await.unwrap();
    assert_eq!(objects(&*store).await, before);
}

#[tokio::test]
async fn how_many_crops_and_writers_are_at_work_at_once_does_not_change_the_run() {
    let episode = Episode::typical();
    let good = objects(&*exported(&episode).await).await;
    for (queue_depth, workers) in [(1, 1), (3, 1), (64, 4), (3, 9)] {
        let store = prepared(&episode).await;
        let settings = ExportSettings { queue_depth, workers, ..ExportSettings::default() };
        export(&episode, store.clone(), settings).await.unwrap();
        assert_eq!(objects(&*store).await, good);
    }
}

#[tokio::test]
async fn the_objects_between_the_stages_go_after_the_commit_unless_they_are_to_be_kept() {
    let episode = Episode::typical();
    let work = RunLayout::new(&episode.request.run).work_prefix();
    for (keep_work, left) in [(false, 0), (true, prepared(&episode).await.list(&work).await.unwrap().len())] {
        let store = prepared(&episode).await;
        let settings = ExportSettings { keep_work, ..ExportSettings::default() };
        export(&episode, store.clone(), settings).await.unwrap();
        assert_eq!(store.list(&work).await.unwrap().len(), left);
    }
}

#[tokio::test]
async fn the_pointer_names_the_commit_and_its_digest() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let run = &episode.request.run;
    let pointer = store.get(&EpisodeLayout::new(&run.ep_id).current()).await.unwrap();
    let pointer: CurrentRun = serde_json::from_slice(&pointer).unwrap();
    let manifest = store.get(&pointer.manifest).await.unwrap();
    assert_eq!((&pointer.run, pointer.manifest_sha256), (run, Sha256Digest::of(&manifest)));
}

#[tokio::test]
async fn the_commit_counts_what_was_found_and_passes_warnings_on() {
    let mut episode = Episode::typical();
    episode.tracks.counts.frames_broken = 3;
    episode.tracks.counts.boxes_refused = 2;
    let store = exported(&episode).await;
    let manifest: Manifest = serde_json::from_slice(&file(&episode, &*store, "manifest.json").await).unwrap();
    assert_eq!(manifest.run, episode.request.run);
    assert_eq!(manifest.warnings, episode.tracks.warnings);
    let counts = manifest.counts;
    assert_eq!((counts.shots, counts.tracks, counts.frames_analysed), (2, 6, 40));
    assert_eq!((counts.frames_broken, counts.boxes_refused), (3, 2));
    let detections: usize = episode.tracks.frames.iter().map(|frame| frame.faces.len()).sum();
    assert_eq!(counts.detections, detections as u64);
}

fn without_faces() -> Episode {
    Episode::blank(10, &[0])
}

fn without_frames() -> Episode {
    let mut episode = Episode::blank(0, &[]);
    episode.tracks = Tracks { shots: Vec::new(), frames: Vec::new(), ..episode.tracks };
    episode
}

fn without_vectors() -> Episode {
    let mut episode = Episode::blank(40, &[0]);
    episode.walk(&Walk::of(0, 0..40));
    episode
}

fn with_every_vector_refused() -> Episode {
    let mut episode = Episode::typical();
    for part in &mut episode.parts {
        part.prototypes.clear();
        part.splits.clear();
        for face in &mut part.faces {
            face.outcome = Err("turned_away".to_owned());
        }
    }
    episode
}

#[rstest]
#[case(without_faces())]
#[case(without_frames())]
#[case(without_vectors())]
#[case(with_every_vector_refused())]
#[tokio::test]
async fn a_run_that_found_little_is_a_good_run(#[case] episode: Episode) {
    let store = exported(&episode).await;
    let report = verify_run(&*store, &episode.request.run).await.unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.checked.vectors, 0);
}

/// `numpy.save` of `[[1, 0, 0], [0.6, -0.8, 0]]` as float32 (NumPy 2.4).
const BY_NUMPY: &str = include_str!("two_rows.npy.hex");

#[test]
fn vectors_are_written_as_numpy_writes_them() {
    let rows: [&[f32]; 2] = [&[1.0, 0.0, 0.0], &[0.6, -0.8, 0.0]];
    let bytes = exporter_svc::npy::encode(rows.into_iter(), 3).unwrap();
    assert_eq!(hex::encode(bytes), BY_NUMPY.split_whitespace().collect::<String>());
}

#[tokio::test]
async fn the_vectors_of_a_run_lie_in_the_order_of_its_rows() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let faces: Vec<exporter_svc::manifests::FaceRow> =
        crate::harness::rows(&episode, &*store, "manifests/faces.jsonl").await;
    let bytes: Bytes = file(&episode, &*store, "embeds/faces.npy").await;
    let matrix = exporter_svc::npy::decode(&bytes).unwrap();
    assert_eq!(matrix.columns, DIM);
    let embedded = episode.parts.iter().flat_map(|part| &part.faces);
    for face in embedded {
        let Some(row) = faces.iter().find(|row| row.face_id == face.face.to_string()) else { continue };
        let vector = row.embedding_row.map(|at| matrix.rows[at as usize].as_slice());
        assert_eq!(vector, face.outcome.as_ref().ok().map(Embedding::as_slice));
    }
}
