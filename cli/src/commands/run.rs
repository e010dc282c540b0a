//! `facereel run`: the whole pipeline on one video, in this process.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use facereel_domain::ids::EpisodeId;
use facereel_domain::settings::QueueSettings;
use facereel_service::StopSignals;
use facereel_settings::{Resolved, SettingsError, Source, redacted};
use indicatif::MultiProgress;

use crate::console;
use crate::embedded::{FILE_THREADS, Outcome, Prepared, execute};
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{open_store, what_was_erased};
use crate::progress::{Presenter, Style};
use crate::request::forget;
use crate::setting_args::RunSettingArgs;

/// Run the whole pipeline on a video, here.
///
/// Finds shots, faces and tracks, embeds the best faces of each track, and writes crops and manifests to
/// OUT/episodes/ID. Stopped or killed, the same command continues where it was; a finished run is not done again.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = exit::HELP)]
pub(crate) struct RunArgs {
    /// The video: a path, file:///… or `s3://bucket/key`
    pub(crate) video: String,
    /// The episode's id: letters, digits, '.', '_', '-' [default: from the file's name]
    #[arg(long, value_name = "ID")]
    pub(crate) episode: Option<EpisodeId>,
    /// Print events, one JSON object a line, on standard output
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Delete what this very run left and do it again
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(crate) settings: RunSettingArgs,
}

impl RunArgs {
    fn style(&self) -> Style {
        match (self.quiet, self.json) {
            (true, _) => Style::Silent,
            (_, true) => Style::Json,
            _ if stderr().is_terminal() => Style::Bars,
            _ => Style::Lines,
        }
    }
}

/// Runs the pipeline.
pub(crate) fn run(args: &RunArgs) -> Result<Exit> {
    let bars = MultiProgress::new();
    let mut presenter = args.style().presenter(&bars);
    let result = start(args, &bars, presenter.as_mut());
    if let Err(error) = &result {
        presenter.failed(&format!("{error:#}"), Exit::of(error).code());
    }
    result
}

fn start(args: &RunArgs, bars: &MultiProgress, presenter: &mut dyn Presenter) -> Result<Exit> {
    let resolved = args.settings.resolve()?;
    logging::start(&resolved, bars)?;
    refuse_other_queues(&resolved)?;
    if !args.quiet {
        resolved.notes.iter().for_each(|note| console::err(format!("note: {note}")));
    }
    // All it does is to wait: the work is done on compute threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(FILE_THREADS)
        .build()
        .context("the runtime can't be started")?;
    runtime.block_on(async {
        let store = open_store(&resolved).await?;
        let prepared = Prepared::new(&args.video, args.episode.clone(), resolved).await?;
        let mut signals = StopSignals::listen()?;
        if args.force {
            forget(store.as_ref(), &prepared.asked.request.run).await?;
        }
        let outcome = execute(&prepared, Arc::clone(&store), presenter, &mut signals).await?;
        let erased = match &outcome {
            Outcome::WasComplete(_) => what_was_erased(store.as_ref(), &prepared.asked.request.run).await?,
            Outcome::Complete(_) | Outcome::Stopped => None,
        };
        Ok(conclude(args, (outcome, erased), presenter))
    })
}

/// Here jobs wait in this process: a queue that is shared with others would be left unused without a word.
fn refuse_other_queues(resolved: &Resolved) -> Result<(), SettingsError> {
    let url = &resolved.settings.runtime.queue.url;
    if url == &QueueSettings::default().url {
        return Ok(());
    }
    Err(SettingsError::NotAllowed {
        path: "queue.url".to_owned(),
        value: redacted(url).into_owned(),
        allowed: format!("{} in this command", QueueSettings::default().url),
        source_of: resolved.sources.get("queue.url").cloned().unwrap_or(Source::Default),
    })
}

fn is_for_people(args: &RunArgs) -> bool {
    matches!(args.style(), Style::Bars | Style::Lines)
}

fn conclude(
    args: &RunArgs,
    (outcome, erased): (Outcome, Option<String>),
    presenter: &mut dyn Presenter,
) -> Exit {
    match outcome {
        Outcome::Complete(summary) => presenter.finished(&summary),
        Outcome::WasComplete(summary) => match erased {
            // The summary tells of what is gone.
            Some(what) if is_for_people(args) => console::err(format!(
                "complete, and {what}: nothing was done (--force makes it anew, with all faces)"
            )),
            _ => {
                if is_for_people(args) {
                    console::err("already complete: nothing to do (--force does it again)");
                }
                presenter.finished(&summary);
            }
        },
        Outcome::Stopped => {
            presenter.failed("stopped", Exit::Interrupted.code());
            if !args.quiet {
                console::err("stopped: finished parts are kept, the same command continues");
            }
            return Exit::Interrupted;
        }
    }
    Exit::Done
}
