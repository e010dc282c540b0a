//! `facereel cancel`: calls runs off.

use anyhow::{Result, bail};
use clap::Args;
use facereel_domain::ids::{EpisodeId, RunId, RunRef};
use facereel_store::Store;
use indicatif::MultiProgress;

use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{Standing, cancel, in_runtime, open_store, runs_of, standing};
use crate::setting_args::SettingArgs;

/// Call off the runs of an episode that are under way.
///
/// Workers drop their jobs from now on; a job at work is finished first, and its result dropped. What lies between the
/// stages is deleted. Finished runs are left alone. `facereel submit` with the same video takes a cancelled run up again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct CancelArgs {
    /// The episodes
    #[arg(value_name = "EPISODE", required = true)]
    episodes: Vec<EpisodeId>,
    /// Only this run
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    #[command(flatten)]
    settings: SettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel cancel SHOW-S01E01
  facereel cancel SHOW-S01E01 --run 0123456789abcdef";

/// Cancels.
pub(crate) fn run(args: &CancelArgs) -> Result<Exit> {
    let resolved = args.settings.resolve(Vec::new())?;
    logging::start(&resolved, &MultiProgress::new())?;
    in_runtime(async {
        let store = open_store(&resolved).await?;
        for ep_id in &args.episodes {
            for run in cancel_runs_of(store.as_ref(), ep_id, args.run.as_ref()).await? {
                console::out(format!("{} run {}: cancelled", run.ep_id, run.run_id));
            }
        }
        Ok(Exit::Done)
    })
}

/// Cancels what is under way; an error where nothing is.
async fn cancel_runs_of(store: &dyn Store, ep_id: &EpisodeId, only: Option<&RunId>) -> Result<Vec<RunRef>> {
    let (mut cancelled, mut left) = (Vec::new(), Vec::new());
    for run in runs_of(store, ep_id).await? {
        if only.is_some_and(|only| run.run_id != *only) {
            continue;
        }
        match standing(store, &run).await? {
            standing @ (Standing::Done | Standing::Cancelled(_)) => {
                left.push(format!("run {} is {}", run.run_id, standing.word()));
            }
            // A failed one may have jobs in the queues too, and parts in the store.
            Standing::Failed(_) | Standing::Submitted(_) | Standing::New => {
                cancel(store, &run).await?;
                cancelled.push(run);
            }
        }
    }
    match (cancelled.is_empty(), left.is_empty()) {
        (false, _) => Ok(cancelled),
        (true, true) => {
            bail!("there is no such run of episode {ep_id}: `facereel status` shows those there are")
        }
        (true, false) => bail!("nothing of episode {ep_id} is under way: {}", left.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::asked;
    use bytes::Bytes;
    use facereel_domain::layout::RunLayout;
    use facereel_store::MemoryStore;

    #[tokio::test]
    async fn only_what_is_under_way_is_cancelled() {
        let store = MemoryStore::default();
        let done = asked("A").request.run;
        store.put(&RunLayout::new(&done).manifest(), Bytes::from_static(b"{}")).await.unwrap();
        let error = cancel_runs_of(&store, &done.ep_id, None).await.unwrap_err().to_string();
        assert_eq!(error, "nothing of episode A is under way: run 0123456789abcdef is done");
        let mut other = asked("A");
        other.request.run.run_id = "fedcba9876543210".parse().unwrap();
        other.write(&store).await.unwrap();
        assert_eq!(cancel_runs_of(&store, &done.ep_id, None).await.unwrap(), [other.request.run]);
        let nobody = "B".parse().unwrap();
        assert!(cancel_runs_of(&store, &nobody, None).await.unwrap_err().to_string().contains("no such run"));
    }
}
