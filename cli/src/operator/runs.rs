//! Which episodes and runs a store holds.

use anyhow::Result;
use exporter_svc::CurrentRun;
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_domain::layout::{EPISODES, EpisodeLayout};
use facereel_store::Store;

use super::standing::read_json;

/// All episodes, by id.
pub(crate) async fn episodes(store: &dyn Store) -> Result<Vec<EpisodeId>> {
    let names = store.folders(EPISODES).await?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// All runs of the episode, by id.
pub(crate) async fn runs_of(store: &dyn Store, ep_id: &EpisodeId) -> Result<Vec<RunRef>> {
    let names = store.folders(&EpisodeLayout::new(ep_id).runs_prefix()).await?;
    let run = |name: &String| Some(RunRef { ep_id: ep_id.clone(), run_id: name.parse().ok()? });
    Ok(names.iter().filter_map(run).collect())
}

/// The run that the episode's pointer leads to.
pub(crate) async fn current_run(store: &dyn Store, ep_id: &EpisodeId) -> Result<Option<RunRef>> {
    let pointer: Option<CurrentRun> = read_json(store, &EpisodeLayout::new(ep_id).current()).await?;
    Ok(pointer.map(|pointer| pointer.run))
}

#[cfg(test)]
mod tests {
    use super::super::standing::tests::{put, run};
    use super::*;
    use facereel_domain::layout::RunLayout;
    use facereel_store::MemoryStore;

    #[tokio::test]
    async fn episodes_and_runs_are_found_by_their_folders() {
        let store = MemoryStore::default();
        for ep_id in ["B", "A"] {
            put(&store, &RunLayout::new(&run(ep_id)).request(), "").await;
        }
        let found = episodes(&store).await.unwrap();
        assert_eq!(found.iter().map(EpisodeId::as_str).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(runs_of(&store, &found[0]).await.unwrap(), [run("A")]);
        assert_eq!(current_run(&store, &found[0]).await.unwrap(), None);
    }
}
