//! A good run in a store in memory, and how to damage it.
//!
//! "Signed" damage comes with digests that fit, as after an edit by somebody who means well: then only the
//! comparison of the files with each other can find it.

use std::sync::Arc;

use bytes::Bytes;
use exporter_svc::erase::{Order, Scope, erase};
use exporter_svc::verify::{Report, verify_run};
use exporter_svc::{CurrentRun, Manifest};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::{RunRef, TrackId};
use facereel_domain::layout::{EpisodeLayout, ObjectKey, RunLayout};
use facereel_store::{MemoryStore, Store};
use serde_json::Value;

use crate::episode::Episode;
use crate::harness::exported;

pub(crate) const DETECTIONS: &str = "manifests/detections.jsonl";
pub(crate) const TRACKS: &str = "manifests/tracks.jsonl";
pub(crate) const FACES: &str = "manifests/faces.jsonl";
pub(crate) const SHOTS: &str = "manifests/shots.jsonl";
pub(crate) const METRICS: &str = "manifests/track_metrics.json";
pub(crate) const INDEX: &str = "frames/crops/track_0001/index.json";

/// A run to be damaged.
pub(crate) struct Run {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) run: RunRef,
}

impl Run {
    pub(crate) async fn good() -> Self {
        let episode = Episode::typical();
        Self { store: exported(&episode).await, run: episode.request.run }
    }

    /// The good run after the faces of track 1 were erased.
    pub(crate) async fn without_its_first_track() -> Self {
        let run = Self::good().await;
        let scope = Scope::Tracks([TrackId(1)].into());
        let order = Order { scope, reason: Some("a request".to_owned()), clock: || 7 };
        assert_eq!(erase(&*run.store, &run.run, &order).await.unwrap().len(), 1);
        run
    }

    pub(crate) fn key(&self, path: &str) -> ObjectKey {
        let episode = EpisodeLayout::new(&self.run.ep_id);
        let run = RunLayout::new(&self.run);
        if path == "current.json" {
            episode.current()
        } else {
            format!("{}/{path}", run.prefix()).parse().unwrap()
        }
    }

    pub(crate) async fn read(&self, path: &str) -> Bytes {
        self.store.get(&self.key(path)).await.unwrap()
    }

    pub(crate) async fn write(&self, path: &str, bytes: impl Into<Bytes>) {
        self.store.put(&self.key(path), bytes.into()).await.unwrap();
    }

    /// Makes the commit fit the file, and the pointer fit the commit.
    pub(crate) async fn sign(&self, path: &str, rows: Option<u64>) {
        let bytes = self.read(path).await;
        self.edit_manifest(|manifest| {
            let artifact = manifest.artifacts.iter_mut().find(|artifact| artifact.path == path).unwrap();
            artifact.size_bytes = bytes.len() as u64;
            artifact.sha256 = Sha256Digest::of(&bytes);
            artifact.rows = rows.or(artifact.rows);
        })
        .await;
    }

    pub(crate) async fn edit_manifest(&self, edit: impl FnOnce(&mut Manifest)) {
        let mut manifest: Manifest = serde_json::from_slice(&self.read("manifest.json").await).unwrap();
        edit(&mut manifest);
        self.write_manifest(serde_json::to_vec(&manifest).unwrap()).await;
    }

    /// Writes the commit and makes the pointer fit it.
    pub(crate) async fn write_manifest(&self, manifest: Vec<u8>) {
        let mut pointer: CurrentRun = serde_json::from_slice(&self.read("current.json").await).unwrap();
        pointer.manifest_sha256 = Sha256Digest::of(&manifest);
        self.write("manifest.json", manifest).await;
        self.write("current.json", serde_json::to_vec(&pointer).unwrap()).await;
    }

    /// Edits a JSON file, or the line with this number (from 1) of a `.jsonl` file, and signs it.
    pub(crate) async fn edit(&self, (path, line): (&str, usize), edit: impl FnOnce(&mut Value)) {
        let text = String::from_utf8(self.read(path).await.to_vec()).unwrap();
        let text = if path.ends_with(".jsonl") {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let mut row = serde_json::from_str(&lines[line - 1]).unwrap();
            edit(&mut row);
            lines[line - 1] = row.to_string();
            lines.join("\n") + "\n"
        } else {
            let mut value = serde_json::from_str(&text).unwrap();
            edit(&mut value);
            value.to_string()
        };
        self.write(path, text).await;
        self.sign(path, None).await;
    }

    pub(crate) async fn report(&self) -> Report {
        verify_run(&*self.store, &self.run).await.unwrap()
    }

    pub(crate) async fn assert_problem(&self, path: &str, what: &str) {
        let report = self.report().await;
        let found = report.problems.iter().any(|problem| problem.path == path && problem.what.contains(what));
        assert!(found, "no problem of {path} says '{what}': {:#?}", report.problems);
    }

    /// A crop of the first track.
    pub(crate) async fn a_crop(&self) -> String {
        let index: Value = serde_json::from_slice(&self.read(INDEX).await).unwrap();
        index["crops"][0]["crop_rel_path"].as_str().unwrap().to_owned()
    }
}
