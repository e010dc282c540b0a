//! `facereel erase`: takes faces out of finished runs, and what others left behind.

mod targets;
mod told;

use std::io::{IsTerminal as _, stdin};
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use exporter_svc::erase::{EraseError, Order, Scope, clear_uncommitted, erase};
use facereel_domain::ids::{EpisodeId, RunId, TrackId};
use facereel_settings::Override;
use facereel_store::{OldVersions, Store};
use indicatif::MultiProgress;

use self::targets::{Target, Wanted, find, find_old};
use self::told::{Form, Told, Totals};
use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{cancel, in_runtime, open_store, unix_sec};
use crate::setting_args::SettingArgs;

/// Take people's faces out of finished runs, by episode, track or age
///
/// Without --track, everything about faces goes from all runs of the episode: crops, vectors, boxes, landmarks, tracks.
/// Shots, figures about the run as a whole, and the commit with the digests of what is gone stay. With --track the faces of
/// these tracks go, and everything else stays byte for byte. A record of each erasure is kept beside the commit, and
/// `facereel verify` goes by it. Killed on the way, the same command continues.
///
/// Runs that are under way are refused: cancel them first. Fetched copies, backups and older versions in a bucket are not
/// reached.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct EraseArgs {
    /// The episode
    #[arg(required_unless_present = "older_than", conflicts_with = "older_than")]
    episode: Option<EpisodeId>,
    /// Only the faces of this track; may be repeated
    #[arg(long = "track", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    tracks: Vec<u32>,
    /// Only this run; needed with --track where several runs of the episode hold faces, as each has its own numbers
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    /// Instead of an episode: all runs of the store that were finished, or left unfinished, at least so many days ago
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["tracks", "run"])]
    older_than: Option<u32>,
    /// Why, for the record: a reference, no names
    #[arg(long, value_name = "TEXT", value_parser = short_text)]
    reason: Option<String>,
    /// Say what would go, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    /// Where results are: a folder, or the URL of a store [default: store.url]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel erase SHOW-S01E01 --dry-run            what would go
  facereel erase SHOW-S01E01                      everybody, from every run of the episode
  facereel erase SHOW-S01E01 --track 3 --track 9 --reason 'request 2026-117'
  facereel erase --older-than 90 --yes            retention, from a scheduled job
  facereel verify --episode SHOW-S01E01           says what was erased, and that the rest is whole";

/// Longest reason in characters.
const LONGEST_REASON: usize = 500;

/// Erases.
pub(crate) fn run(args: &EraseArgs) -> Result<Exit> {
    let named = args.store.iter().map(|url| Override::flag("--store", "store.url", url)).collect();
    let resolved = args.settings.resolve(named)?;
    logging::start(&resolved, &MultiProgress::new())?;
    let (order, form) = (order(args), if args.json { Form::Json } else { Form::Text });
    in_runtime(async {
        let store = open_store(&resolved).await?;
        let targets = targets(&store, args, &order).await?;
        let mut totals = Totals::new(args.dry_run, store.old_versions().await?);
        let plan = || targets.iter().flat_map(told::plan);
        if args.dry_run && form == Form::Text {
            plan().for_each(console::out);
        }
        let is_asked = !args.dry_run && !args.yes && !targets.is_empty();
        if is_asked && !is_confirmed(plan())? {
            bail!("nothing was erased");
        }
        for target in targets {
            let told = if args.dry_run {
                Told::planned(&target)
            } else {
                take(store.as_ref(), &target, &order).await?
            };
            if !args.dry_run {
                told.show(form);
            }
            totals.runs.push(told);
        }
        if !args.dry_run {
            // Unfinished uploads and drafts of writers that died hold faces too.
            totals.swept = store.sweep().await?;
        }
        totals.show(form)?;
        Ok(if totals.has_failures() { Exit::Failed } else { Exit::Done })
    })
}

fn order(args: &EraseArgs) -> Order {
    let tracks = args.tracks.iter().copied().map(TrackId).collect();
    let scope = if args.tracks.is_empty() { Scope::Run } else { Scope::Tracks(tracks) };
    let retention = || args.older_than.map(|days| format!("retention: older than {days} days"));
    Order { scope, reason: args.reason.clone().or_else(retention), clock: unix_sec }
}

fn short_text(text: &str) -> Result<String, String> {
    let is_short = text.chars().count() <= LONGEST_REASON;
    is_short.then(|| text.to_owned()).ok_or_else(|| format!("at most {LONGEST_REASON} characters are kept"))
}

async fn targets(store: &Arc<dyn Store>, args: &EraseArgs, order: &Order) -> Result<Vec<Target>> {
    match (&args.episode, args.older_than) {
        (Some(ep_id), _) => find(store.as_ref(), &Wanted { ep_id, run: args.run.as_ref() }, order).await,
        (None, Some(days)) => {
            let before = unix_sec().saturating_sub(u64::from(days) * 24 * 60 * 60);
            find_old(store, before, order).await
        }
        (None, None) => bail!("name an episode, or say --older-than DAYS"),
    }
}

fn is_confirmed(plan: impl Iterator<Item = String>) -> Result<bool> {
    if !stdin().is_terminal() {
        bail!(
            "nothing was erased: there is nobody to ask; --yes erases without asking, --dry-run only tells"
        );
    }
    plan.for_each(console::err);
    console::err("Erase this for good? [y/N]");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Erases a target. A run that can't be erased is told of and holds up no other; a store that fails ends it.
async fn take(store: &dyn Store, target: &Target, order: &Order) -> Result<Told> {
    match target {
        Target::Finished { run, .. } => match erase(store, run, order).await {
            Ok(records) => Ok(Told::erased(target, &records)),
            Err(error @ EraseError::Store(_)) => Err(error.into()),
            Err(error) => Ok(Told::failed(target, &error)),
        },
        Target::Unfinished { run, .. } => {
            // Again for those that are cancelled: jobs that come late find it whatever else is gone.
            cancel(store, run).await?;
            clear_uncommitted(store, run).await?;
            Ok(Told::planned(target).done())
        }
    }
}

/// What people should know of the store.
fn warning(old_versions: OldVersions) -> Option<&'static str> {
    match old_versions {
        OldVersions::Gone => None,
        OldVersions::Kept => Some(
            "the bucket keeps older versions of what is deleted: a lifecycle rule must expire them, or they stay for ever \
             (deploy/s3/README.md)",
        ),
        OldVersions::Unknown => Some(
            "the store does not tell whether it keeps older versions of what is deleted: ask whoever runs it",
        ),
    }
}
