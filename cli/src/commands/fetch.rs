//! `facereel fetch`: brings a committed run to this machine.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use facereel_domain::ids::{EpisodeId, RunId, RunRef};
use facereel_store::Store;
use indicatif::MultiProgress;
use serde_json::json;

use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{Standing, current_run, download, in_runtime, open_store, runs_of, standing};
use crate::setting_args::SettingArgs;

/// Bring a finished run here.
///
/// Every file is compared with the digest in the run's commit. The folder is laid out as a store: `facereel verify DIR`
/// checks it, and `DIR/episodes/EPISODE/manifests` and `frames` lead to the run. Interrupted, the same command continues.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct FetchArgs {
    /// The episode
    episode: EpisodeId,
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// An older run than the one that current.json points to
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    /// Print what was brought as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel fetch SHOW-S01E01 data
  facereel verify data --episode SHOW-S01E01";

/// Fetches.
pub(crate) fn run(args: &FetchArgs) -> Result<Exit> {
    let resolved = args.settings.resolve(Vec::new())?;
    logging::start(&resolved, &MultiProgress::new())?;
    in_runtime(async {
        let store = open_store(&resolved).await?;
        let run = finished_run(&store, &args.episode, args.run.as_ref()).await?;
        let brought = download(&store, &run, &args.folder).await?;
        let folder = args.folder.display();
        if args.json {
            let line = json!({"ep_id": run.ep_id, "run_id": run.run_id, "brought": brought});
            console::out(line.to_string());
        } else {
            console::out(format!(
                "{} run {}: {} files ({:.1} MB) in {folder}, {} of them were there",
                run.ep_id,
                run.run_id,
                brought.artifacts,
                brought.bytes as f64 / 1e6,
                brought.were_here
            ));
        }
        Ok(Exit::Done)
    })
}

async fn finished_run(store: &Arc<dyn Store>, ep_id: &EpisodeId, wanted: Option<&RunId>) -> Result<RunRef> {
    if let Some(run_id) = wanted {
        let run = RunRef { ep_id: ep_id.clone(), run_id: run_id.clone() };
        return match standing(store.as_ref(), &run).await? {
            Standing::Done => Ok(run),
            other => bail!("run {run_id} of episode {ep_id} is not finished: it is {}", other.word()),
        };
    }
    if let Some(run) = current_run(store.as_ref(), ep_id).await? {
        return Ok(run);
    }
    // The pointer comes a moment after the first commit.
    for run in runs_of(store.as_ref(), ep_id).await? {
        if standing(store.as_ref(), &run).await? == Standing::Done {
            return Ok(run);
        }
    }
    bail!("{} holds no finished run of episode {ep_id}: `facereel status` shows why", store.url())
}
