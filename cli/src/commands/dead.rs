//! `facereel dead`: jobs that were given up.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use facereel_domain::ids::EpisodeId;
use facereel_domain::layout::RunLayout;
use facereel_queue::DeadLetterVerdict;
use indicatif::MultiProgress;

use crate::console;
use crate::exit::Exit;
use crate::logging;
use crate::operator::{Content, Desk, Letter, Table, find_letter, in_runtime, letters, utc};
use crate::setting_args::SettingArgs;

/// Look at jobs that were given up, try them again or drop them.
///
/// A job is given up when it can't succeed (a damaged video, settings out of range) or has failed too often. It waits
/// here until somebody decides.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum DeadCommand {
    /// List them, the oldest first
    List(ListArgs),
    /// Show one with everything that is known of it
    Show(ShowArgs),
    /// Put them back into their queues as first attempts
    Replay(ChoiceArgs),
    /// Remove them for good
    Drop(ChoiceArgs),
}

const EXAMPLES: &str = "\
Examples:
  facereel dead list
  facereel dead show 3f2a
  facereel dead replay 3f2a                       once its cause is mended
  facereel dead drop --all --episode SHOW-S01E01";

/// Which are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this episode
    #[arg(long, value_name = "ID")]
    episode: Option<EpisodeId>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Which is shown.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, or how that begins
    id: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Which are replayed or dropped.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["ids", "all"])))]
pub(crate) struct ChoiceArgs {
    /// Their ids, or how these begin
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// With --all: only those of this episode
    #[arg(long, value_name = "ID", requires = "all")]
    episode: Option<EpisodeId>,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Does what is asked.
pub(crate) fn run(command: &DeadCommand) -> Result<Exit> {
    let settings = match command {
        DeadCommand::List(args) => &args.settings,
        DeadCommand::Show(args) => &args.settings,
        DeadCommand::Replay(args) | DeadCommand::Drop(args) => &args.settings,
    };
    let resolved = settings.resolve(Vec::new())?;
    logging::start(&resolved, &MultiProgress::new())?;
    in_runtime(async {
        let desk = Desk::open(&resolved, "facereel dead").await?;
        match command {
            DeadCommand::List(args) => list(&desk, args).await,
            DeadCommand::Show(args) => show(&desk, args).await,
            DeadCommand::Replay(args) => settle(&desk, args, DeadLetterVerdict::Replay).await,
            DeadCommand::Drop(args) => settle(&desk, args, DeadLetterVerdict::Discard).await,
        }
    })
}

async fn list(desk: &Desk, args: &ListArgs) -> Result<Exit> {
    let all = letters(desk.queue.as_ref()).await?;
    let wanted = |letter: &&Letter| args.episode.as_ref().is_none_or(|ep_id| letter.is_of(ep_id));
    let chosen: Vec<&Letter> = all.iter().filter(wanted).collect();
    if args.json {
        console::out(serde_json::to_string_pretty(&chosen)?);
    } else if chosen.is_empty() {
        console::out("no dead letters");
    } else {
        console::out(table(&chosen));
    }
    Ok(Exit::Done)
}

fn table(letters: &[&Letter]) -> String {
    let mut table = Table::new(&["ID", "EPISODE", "STAGE", "PART", "TRIES", "FIRST SEEN", "REASON"]);
    for letter in letters {
        let (episode, part) = match &letter.content {
            Content::Job { address, part, .. } => (address.run.ep_id.to_string(), part.clone()),
            Content::Unreadable { .. } => ("-".to_owned(), "no job".to_owned()),
        };
        table.push([
            letter.id.clone(),
            episode,
            letter.stage.to_string(),
            part,
            letter.attempts.to_string(),
            letter.first_seen_unix_sec.map_or_else(|| "-".to_owned(), utc),
            letter.causes.join(": "),
        ]);
    }
    table.text()
}

async fn show(desk: &Desk, args: &ShowArgs) -> Result<Exit> {
    let all = letters(desk.queue.as_ref()).await?;
    let letter = find_letter(&all, &args.id)?;
    console::out(if args.json { serde_json::to_string_pretty(letter)? } else { text(letter) });
    Ok(Exit::Done)
}

fn text(letter: &Letter) -> String {
    let mut text = format!("letter   {}\nqueue    {}\n", letter.id, letter.queue);
    // Writing to a string can't fail.
    let first_seen = letter.first_seen_unix_sec.map_or_else(|| "unknown".to_owned(), utc);
    let _ = writeln!(text, "tries    {}, first seen {first_seen}", letter.attempts);
    match &letter.content {
        Content::Job { address, part, body } => {
            let _ = writeln!(text, "run      {} {}", address.run.ep_id, address.run.run_id);
            let _ = writeln!(text, "part     {part}");
            let _ = writeln!(text, "job      {body}");
        }
        Content::Unreadable { error, bytes, begins } => {
            let _ = writeln!(text, "body     {bytes} bytes that are no job ({error}): {begins}");
        }
    }
    for (place, cause) in letter.causes.iter().enumerate() {
        let _ = writeln!(text, "{} {cause}", if place == 0 { "reason  " } else { "  because" });
    }
    text.truncate(text.trim_end().len());
    text
}

async fn settle(desk: &Desk, args: &ChoiceArgs, verdict: DeadLetterVerdict) -> Result<Exit> {
    let all = letters(desk.queue.as_ref()).await?;
    let mut chosen = Vec::new();
    for id in &args.ids {
        chosen.push(find_letter(&all, id)?);
    }
    if args.all {
        let wanted = |letter: &&Letter| args.episode.as_ref().is_none_or(|ep_id| letter.is_of(ep_id));
        chosen.extend(all.iter().filter(wanted));
    }
    for letter in &chosen {
        let is_settled = settle_one(desk, letter, verdict).await?;
        let done = if verdict == DeadLetterVerdict::Replay { "replayed" } else { "dropped" };
        let outcome = if is_settled { done } else { "was settled by somebody else" };
        console::out(format!("{} {outcome}", letter.id));
    }
    ensure!(!chosen.is_empty(), "there are no such dead letters");
    Ok(Exit::Done)
}

/// A run whose job is tried again has not failed (any more): the note goes first, so that what the job leaves stays.
async fn settle_one(desk: &Desk, letter: &Letter, verdict: DeadLetterVerdict) -> Result<bool> {
    if let (DeadLetterVerdict::Replay, Some(address)) = (verdict, letter.address()) {
        desk.store.delete(&RunLayout::new(&address.run).error()).await?;
    }
    Ok(desk.queue.settle_dead_letter(&letter.id, verdict).await?)
}
