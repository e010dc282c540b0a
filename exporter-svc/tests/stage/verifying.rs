//! From a good run, one file at a time is damaged; verification must name it.

use std::sync::Arc;

use exporter_svc::verify::{list_committed, verify_all, verify_episode, verify_run};
use exporter_svc::{CurrentRun, Manifest};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::settings::ExportSettings;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, Store, StoreErrorKind};
use rstest::rstest;
use serde_json::{Value, json};

use crate::damage::{DETECTIONS, FACES, INDEX, METRICS, Run, SHOTS, TRACKS};
use crate::episode::Episode;
use crate::harness::{export, objects, prepared};

#[tokio::test]
async fn a_good_run_has_no_problem_and_everything_was_looked_at() {
    let run = Run::good().await;
    let report = run.report().await;
    assert_eq!(report.problems, []);
    assert!(report.is_good());
    let manifest: Manifest = serde_json::from_slice(&run.read("manifest.json").await).unwrap();
    assert_eq!(report.checked.artifacts, manifest.artifacts.len() as u64);
    assert_eq!(report.checked.bytes, manifest.artifacts.iter().map(|a| a.size_bytes).sum::<u64>());
    let counts = manifest.counts;
    assert_eq!(report.checked.rows, counts.detections + counts.tracks + counts.faces + counts.shots);
    assert_eq!(report.checked.crops, counts.crops);
    assert_eq!(verify_episode(&*run.store, &run.run.ep_id).await.unwrap(), report);
    assert_eq!(verify_all(&*run.store).await.unwrap(), [report]);
}

#[rstest]
#[case(DETECTIONS)]
#[case(TRACKS)]
#[case(FACES)]
#[case(SHOTS)]
#[case(METRICS)]
#[case(INDEX)]
#[case("embeds/faces.npy")]
#[case("embeds/tracks.npy")]
#[case("crop")]
#[tokio::test]
async fn every_kind_of_damage_to_a_file_is_named(#[case] path: &str) {
    let run = Run::good().await;
    let crop = run.a_crop().await;
    let path = if path == "crop" { crop.as_str() } else { path };
    let good = run.read(path).await;
    let mut flipped = good.to_vec();
    flipped[good.len() / 2] ^= 1;
    run.write(path, flipped).await;
    run.assert_problem(path, "its digest is").await;
    run.write(path, good.slice(..good.len() - 1)).await;
    run.assert_problem(path, &format!("it has {} bytes", good.len() - 1)).await;
    run.store.delete(&run.key(path)).await.unwrap();
    run.assert_problem(path, "it is missing").await;
    run.edit_manifest(|manifest| manifest.artifacts.retain(|artifact| artifact.path != path)).await;
    run.write(path, good).await;
    run.assert_problem(path, "manifest.json does not name it").await;
}

#[rstest]
#[case("manifests/notes.txt")]
#[case("embeds/old.npy")]
#[case("frames/crops/track_0099/frame_000001.jpg")]
#[tokio::test]
async fn a_file_that_was_added_is_named(#[case] path: &str) {
    let run = Run::good().await;
    run.write(path, "x").await;
    run.assert_problem(path, "a leftover").await;
}

#[tokio::test]
async fn files_beside_the_artifacts_are_no_problem() {
    let run = Run::good().await;
    for path in ["run_stats.json", "progress.json", "settings.json", "work/tracks.mpk"] {
        run.write(path, "{}").await;
    }
    assert_eq!(run.report().await.problems, []);
}

#[tokio::test]
async fn a_commit_that_can_not_be_used_is_named() {
    let run = Run::good().await;
    run.edit_manifest(|manifest| manifest.run.ep_id = "OTHER".parse().unwrap()).await;
    run.assert_problem("manifest.json", "it is the commit of episode 'OTHER'").await;
    run.edit_manifest(|manifest| manifest.artifacts[0].path = "../../secret".to_owned()).await;
    run.assert_problem("manifest.json", "'../../secret', which is in none of the folders").await;
    run.edit_manifest(|manifest| manifest.schema_version = 9).await;
    run.assert_problem("manifest.json", "schema_version 9 is unknown").await;
    run.write("manifest.json", "{").await;
    run.assert_problem("manifest.json", "it can't be read").await;
    run.store.delete(&run.key("manifest.json")).await.unwrap();
    run.assert_problem("manifest.json", "the run was never finished").await;
}

#[tokio::test]
async fn a_run_of_a_version_of_the_program_with_other_settings_is_good() {
    let run = Run::good().await;
    let mut manifest: Value = serde_json::from_slice(&run.read("manifest.json").await).unwrap();
    manifest["program"]["version"] = json!("99.0.0");
    manifest["settings"]["detect"] = json!({ "sharper_eyes": true });
    run.write_manifest(serde_json::to_vec(&manifest).unwrap()).await;
    assert_eq!(run.report().await.problems, []);
}

#[tokio::test]
async fn a_pointer_that_does_not_fit_is_named() {
    let run = Run::good().await;
    let mut pointer: CurrentRun = serde_json::from_slice(&run.read("current.json").await).unwrap();
    pointer.manifest_sha256 = Sha256Digest::of(b"another");
    run.write("current.json", serde_json::to_vec(&pointer).unwrap()).await;
    run.assert_problem("current.json", "it says that manifest.json has digest").await;
    run.write("current.json", "nonsense").await;
    run.assert_problem("current.json", "it can't be read").await;
    let report = verify_episode(&*run.store, &run.run.ep_id).await.unwrap();
    assert_eq!(report.run, None);
    assert!(report.problems[0].what.contains("it is no pointer to a run"));
    run.store.delete(&run.key("current.json")).await.unwrap();
    run.assert_problem("current.json", "it is missing").await;
    let error = verify_episode(&*run.store, &run.run.ep_id).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
}

#[tokio::test]
async fn an_older_run_beside_the_current_one_is_good_too() {
    let mut episode = Episode::typical();
    let run = Run::good().await;
    episode.request.run.run_id = "fedcba9876543210".parse().unwrap();
    for (key, bytes) in objects(&*prepared(&episode).await).await {
        run.store.put(&key.parse().unwrap(), bytes).await.unwrap();
    }
    export(&episode, run.store.clone(), ExportSettings::default()).await.unwrap();
    assert_eq!(list_committed(&*run.store).await.unwrap(), [run.run.clone(), episode.request.run.clone()]);
    for report in verify_all(&*run.store).await.unwrap() {
        assert_eq!(report.problems, []);
    }
    let current = verify_episode(&*run.store, &run.run.ep_id).await.unwrap();
    assert_eq!(current.run, Some(episode.request.run));
}

#[tokio::test]
async fn a_run_without_a_commit_is_not_listed() {
    let store = prepared(&Episode::typical()).await;
    assert_eq!(list_committed(&*store).await.unwrap(), []);
}

#[tokio::test]
async fn an_episode_whose_pointer_leads_to_no_commit_is_named() {
    let run = Run::good().await;
    run.store.delete(&run.key("manifest.json")).await.unwrap();
    let reports = verify_all(&*run.store).await.unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].run.as_ref(), Some(&run.run));
    assert!(reports[0].problems[0].what.contains("it is missing"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_an_error_and_no_problem() {
    let run = Run::good().await;
    let counting = Arc::new(FaultyStore::new(run.store.clone(), []));
    verify_run(&*counting, &run.run).await.unwrap();
    for number in 1..=counting.operations() {
        let faulty = FaultyStore::new(run.store.clone(), [StoreFault::FailNth(number)]);
        let error = verify_run(&faulty, &run.run).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Transient);
    }
}
