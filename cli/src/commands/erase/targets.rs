//! Which runs an erasure is about.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use exporter_svc::erase::{Extent, Leftovers, Order, Preview, RunState, Scope, leftovers, preview};
use facereel_domain::ids::{EpisodeId, RunId, RunRef};
use facereel_domain::layout::RunLayout;
use facereel_store::Store;

use crate::operator::{Standing, episodes, runs_of, side_by_side, standing};

/// What is asked for, of one episode.
pub(super) struct Wanted<'a> {
    pub(super) ep_id: &'a EpisodeId,
    pub(super) run: Option<&'a RunId>,
}

/// A run that holds something to erase.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// It is committed.
    Finished {
        /// The run.
        run: RunRef,
        /// What the order comes to.
        preview: Box<Preview>,
    },
    /// It was called off, or nobody has worked on it for long.
    Unfinished {
        /// The run.
        run: RunRef,
        /// What it holds.
        leftovers: Leftovers,
    },
}

impl Target {
    pub(super) fn run(&self) -> &RunRef {
        match self {
            Self::Finished { run, .. } | Self::Unfinished { run, .. } => run,
        }
    }
}

/// The targets of one episode. Nothing of an episode is erased while a run of it is under way: it would leave more.
pub(super) async fn find(store: &dyn Store, wanted: &Wanted<'_>, order: &Order) -> Result<Vec<Target>> {
    let (mut finished, mut cancelled, mut at_work) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs_of(store, wanted.ep_id).await? {
        if wanted.run.is_some_and(|wanted| run.run_id != *wanted) {
            continue;
        }
        match standing(store, &run).await? {
            Standing::Done => finished.push(run),
            Standing::Cancelled(_) => cancelled.push(run),
            other => at_work.push(format!("run {} is {}", run.run_id, other.word())),
        }
    }
    let ep_id = wanted.ep_id;
    ensure!(
        at_work.is_empty(),
        "nothing was erased: {}, neither finished nor cancelled; `facereel cancel {ep_id}` first, then the same command",
        at_work.join(", ")
    );
    ensure!(
        !(finished.is_empty() && cancelled.is_empty()),
        "{} holds no such run of episode {ep_id}: `facereel status` shows those there are",
        store.url()
    );
    if matches!(order.scope, Scope::Tracks(_)) {
        let run = the_run_with_tracks(store, finished).await?;
        return Ok(vec![target(store, run, order).await?]);
    }
    let mut targets = Vec::new();
    for run in finished {
        targets.push(target(store, run, order).await?);
    }
    for run in cancelled {
        let found = leftovers(store, &run).await?;
        targets.extend(found.map(|leftovers| Target::Unfinished { run, leftovers }));
    }
    Ok(targets)
}

async fn target(store: &dyn Store, run: RunRef, order: &Order) -> Result<Target> {
    let preview = Box::new(preview(store, &run, order).await?);
    Ok(Target::Finished { run, preview })
}

/// Tracks have other numbers in every run: there must be one run only that can be meant.
async fn the_run_with_tracks(store: &dyn Store, mut finished: Vec<RunRef>) -> Result<RunRef> {
    if finished.len() > 1 {
        let mut with_faces = Vec::new();
        for run in &finished {
            let state = RunState::read(store, run).await?;
            if state.remains.extent != Extent::Run || state.unfinished().is_some() {
                with_faces.push(run.clone());
            }
        }
        if !with_faces.is_empty() {
            finished = with_faces;
        }
    }
    match &finished[..] {
        [run] => Ok(run.clone()),
        [] => bail!("nothing was erased: no run of the episode is finished, so that there are no tracks"),
        several => {
            let ids: Vec<&str> = several.iter().map(|run| run.run_id.as_str()).collect();
            bail!(
                "nothing was erased: {} runs of the episode hold faces ({}), and each has its own tracks; say which with \
                 --run, and erase the same person from the others too",
                ids.len(),
                ids.join(", ")
            )
        }
    }
}

/// Runs of all episodes of which nothing was written since `before` (seconds since 1970) and that hold faces.
pub(super) async fn find_old(store: &Arc<dyn Store>, before: u64, order: &Order) -> Result<Vec<Target>> {
    let of_episode = |ep_id: EpisodeId| {
        let (store, order) = (Arc::clone(store), order.clone());
        async move {
            let mut targets = Vec::new();
            for run in runs_of(store.as_ref(), &ep_id).await? {
                targets.extend(if_old(store.as_ref(), run, (before, &order)).await?);
            }
            Ok(targets)
        }
    };
    Ok(side_by_side(episodes(store.as_ref()).await?, of_episode).await?.concat())
}

async fn if_old(store: &dyn Store, run: RunRef, (before, order): (u64, &Order)) -> Result<Option<Target>> {
    let Some(committed) = store.written_unix_sec(&RunLayout::new(&run).manifest()).await? else {
        // Asked for lately: no need to look at all its parts.
        let asked = store.written_unix_sec(&RunLayout::new(&run).request()).await?;
        if asked.is_some_and(|asked| asked >= before) {
            return Ok(None);
        }
        let found = leftovers(store, &run).await?;
        let old = found.filter(|found| found.written_unix_sec < before);
        return Ok(old.map(|leftovers| Target::Unfinished { run, leftovers }));
    };
    if committed >= before || is_erased(store, &run).await? {
        return Ok(None);
    }
    target(store, run, order).await.map(Some)
}

/// Whether all faces of a finished run are gone, told without reading its commit, which may be large: retention asks this
/// of every run there ever was.
async fn is_erased(store: &dyn Store, run: &RunRef) -> Result<bool> {
    let layout = RunLayout::new(run);
    if store.head(&layout.detections_jsonl()).await?.is_some() {
        return Ok(false);
    }
    let records = store.list(&layout.erasures_prefix()).await?;
    let ends_with = |end: &str| records.iter().filter(|record| record.key.as_str().ends_with(end)).count();
    Ok(!records.is_empty() && ends_with("-begun.json") == ends_with("-done.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::cancel;
    use crate::request::tests::asked;
    use bytes::Bytes;
    use facereel_domain::ids::TrackId;
    use facereel_store::MemoryStore;
    use serde_json::json;

    fn order(scope: Scope) -> Order {
        Order { scope, reason: None, clock: || 7 }
    }

    async fn found(store: &MemoryStore, order: &Order) -> Result<Vec<Target>> {
        find(store, &Wanted { ep_id: &asked("A").request.run.ep_id, run: None }, order).await
    }

    async fn commit(store: &MemoryStore, run: &RunRef) {
        let counts = json!({
            "shots": 0, "frames_analysed": 0, "detections": 0, "tracks": 0, "faces": 0, "embeddings": 0, "crops": 0,
            "frames_broken": 0, "boxes_refused": 0
        });
        let manifest = json!({"schema_version": 1, "counts": counts, "artifacts": []}).to_string();
        store.put(&RunLayout::new(run).manifest(), manifest.into()).await.unwrap();
    }

    #[tokio::test]
    async fn a_run_under_way_keeps_its_episode_from_being_erased_until_it_is_cancelled() {
        let store = MemoryStore::default();
        let asked = asked("A");
        asked.write(&store).await.unwrap();
        let layout = RunLayout::new(&asked.request.run);
        let refused = found(&store, &order(Scope::Run)).await.unwrap_err().to_string();
        assert!(refused.contains("`facereel cancel A` first"), "{refused}");
        cancel(&store, &asked.request.run).await.unwrap();
        assert!(found(&store, &order(Scope::Run)).await.unwrap().is_empty());
        // A job that was at work leaves its part late.
        store.put(&layout.plan(), Bytes::from_static(b"late")).await.unwrap();
        let targets = found(&store, &order(Scope::Run)).await.unwrap();
        assert!(matches!(&targets[..], [Target::Unfinished { leftovers, .. }] if leftovers.bytes == 4));
    }

    #[tokio::test]
    async fn tracks_are_of_one_run_that_must_be_named_where_there_are_several() {
        let store = MemoryStore::default();
        let run = asked("A").request.run;
        let other = RunRef { run_id: "fedcba9876543210".parse().unwrap(), ..run.clone() };
        for run in [&run, &other] {
            commit(&store, run).await;
        }
        let refused =
            found(&store, &order(Scope::Tracks([TrackId(1)].into()))).await.unwrap_err().to_string();
        assert!(
            refused.contains("0123456789abcdef, fedcba9876543210") && refused.contains("--run"),
            "{refused}"
        );
        assert_eq!(found(&store, &order(Scope::Run)).await.unwrap().len(), 2);
        exporter_svc::erase::erase(&store, &other, &order(Scope::Run)).await.unwrap();
        assert_eq!(the_run_with_tracks(&store, vec![run.clone(), other]).await.unwrap(), run);
    }
}
