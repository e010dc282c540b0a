//! Running the stage, and looking at what it left.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use exporter_svc::ExportStage;
use exporter_svc::assemble::{Assembled, assemble};
use facereel_domain::ids::SegmentIndex;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_domain::pipeline::Lane;
use facereel_domain::settings::ExportSettings;
use facereel_messages::Format;
use facereel_messages::jobs::{ExportJob, JobAddress};
use facereel_service::cpu::CpuLimit;
use facereel_service::progress::NoProgress;
use facereel_service::{ComputePool, Stage, StageContext, StageError};
use facereel_store::{MemoryStore, Store};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::episode::Episode;

/// All objects of a store.
pub(crate) type Objects = BTreeMap<String, Bytes>;

/// The episode's tracks as export puts them together.
pub(crate) fn assembled(episode: &Episode) -> Assembled {
    let Episode { tracks, batches, parts, request, .. } = episode.clone();
    assemble(tracks, batches, parts, &request.pipeline.track)
}

/// A store with what the stages before export leave.
pub(crate) async fn prepared(episode: &Episode) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let layout = RunLayout::new(&episode.request.run);
    put(&store, &layout.request(), &episode.request).await;
    put(&store, &layout.tracks(), &episode.tracks).await;
    for (batch, part) in episode.batches.iter().zip(&episode.parts) {
        put(&store, &layout.embed_batch(batch.batch), batch).await;
        put(&store, &layout.embeddings_part(part.batch), part).await;
    }
    for (segment, pack) in (0..).map(SegmentIndex).zip(&episode.packs) {
        store.put(&layout.chip_pack(segment), pack.clone().into()).await.unwrap();
    }
    store
}

async fn put<T: Format>(store: &MemoryStore, key: &ObjectKey, value: &T) {
    store.put(key, facereel_messages::encode(value).unwrap().into()).await.unwrap();
}

/// Does the episode's export job on `store`.
pub(crate) async fn export(
    episode: &Episode,
    store: Arc<dyn Store>,
    settings: ExportSettings,
) -> Result<(), StageError> {
    export_batches(episode.tracks.batches, episode, store, settings).await
}

/// Does an export job of so many `batches`.
pub(crate) async fn export_batches(
    batches: u32,
    episode: &Episode,
    store: Arc<dyn Store>,
    settings: ExportSettings,
) -> Result<(), StageError> {
    let address = JobAddress { run: episode.request.run.clone(), lane: Lane::Interactive };
    let job = ExportJob { address, batches };
    let context = StageContext {
        store,
        compute: ComputePool::new("export", 1).unwrap(),
        cpu: Arc::new(CpuLimit::new(0)),
        progress: Arc::new(NoProgress),
        shutdown: CancellationToken::new(),
    };
    let next = ExportStage::new(settings).process(job, &context).await?;
    assert!(next.is_empty(), "nothing follows an export");
    Ok(())
}

/// A store with the exported episode.
pub(crate) async fn exported(episode: &Episode) -> Arc<MemoryStore> {
    let store = prepared(episode).await;
    export(episode, store.clone(), ExportSettings::default()).await.unwrap();
    store
}

/// Everything in the store.
pub(crate) async fn objects(store: &dyn Store) -> Objects {
    let mut objects = Objects::new();
    for object in store.list("").await.unwrap() {
        objects.insert(object.key.to_string(), store.get(&object.key).await.unwrap());
    }
    objects
}

/// A file of the episode's run.
pub(crate) async fn file(episode: &Episode, store: &dyn Store, path: &str) -> Bytes {
    let key = format!("{}/{path}", RunLayout::new(&episode.request.run).prefix());
    store.get(&key.parse().unwrap()).await.unwrap()
}

/// A file's rows.
pub(crate) async fn rows<T: DeserializeOwned>(episode: &Episode, store: &dyn Store, path: &str) -> Vec<T> {
    let bytes = file(episode, store, path).await;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}
