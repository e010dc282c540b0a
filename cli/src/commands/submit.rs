//! `facereel submit`: hands videos to the services.

use anyhow::{Result, bail};
use clap::Args;
use facereel_domain::ids::EpisodeId;
use facereel_domain::pipeline::Lane;
use indicatif::MultiProgress;
use serde_json::json;

use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{
    Candidate, Entry, Intake, Standing, in_runtime, ready_to_publish, refuse_duplicates, submit,
    what_was_erased,
};
use crate::request::{episode_of, forget};
use crate::setting_args::RunSettingArgs;

/// Hand videos to the services.
///
/// Writes each run's request to the store and its first job to the queue, then returns: the services do the rest.
/// A finished run is not done again; a failed or cancelled one is taken up where it ended. The same video with the
/// same settings is the same run, whether `run` or the services do it.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct SubmitArgs {
    /// Videos: paths, file:///… or `s3://bucket/key`; the services must be able to read them there
    #[arg(value_name = "URL", required = true)]
    videos: Vec<String>,
    /// The episode's id, for one video [default: from the video's name]
    #[arg(long, value_name = "ID")]
    episode: Option<EpisodeId>,
    /// How urgent: interactive or backfill
    #[arg(long, value_name = "LANE", default_value = "interactive")]
    lane: Lane,
    /// Delete what these very runs left and do them again
    #[arg(long)]
    force: bool,
    /// Print a JSON object for each video on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: RunSettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel submit s3://films/SHOW-S01E01.mp4
  facereel submit /videos/a.mp4 --episode SHOW-S01E01 --profile fast
  facereel status SHOW-S01E01 --watch             wait for it
  facereel fetch SHOW-S01E01 data                 bring the results here";

/// Submits.
pub(crate) fn run(args: &SubmitArgs) -> Result<Exit> {
    let resolved = args.settings.resolve()?;
    logging::start(&resolved, &MultiProgress::new())?;
    resolved.notes.iter().for_each(|note| console::err(format!("note: {note}")));
    let entries = entries(args)?;
    in_runtime(async {
        let intake = Intake::open(resolved, "facereel submit").await?;
        let catalogue = intake.look_at(entries).await?;
        if let Some(refused) = catalogue.refused.first() {
            bail!("{} can't be submitted, and nothing was: {}", refused.video, refused.reason);
        }
        if let Err(not_ready) = ready_to_publish(intake.desk.queue.as_ref()) {
            console::err(format!("{not_ready}; waiting until it can"));
        }
        for candidate in &catalogue.candidates {
            let told = hand_over(candidate, &intake, args).await?;
            tell(candidate, &told, args);
        }
        Ok(Exit::Done)
    })
}

fn entries(args: &SubmitArgs) -> Result<Vec<Entry>> {
    if args.episode.is_some() && args.videos.len() > 1 {
        bail!("--episode names one video, and there are {}", args.videos.len());
    }
    let entry = |video: &String| {
        let ep_id = args.episode.clone().map_or_else(|| episode_of(video), Ok)?;
        Ok(Entry { video: video.clone(), ep_id })
    };
    let entries = args.videos.iter().map(entry).collect::<Result<Vec<_>>>()?;
    refuse_duplicates(&entries)?;
    Ok(entries)
}

/// What was done about a video.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Submitted,
    Again,
    WasComplete,
    /// And these faces are no longer there.
    WasErased(String),
}

async fn hand_over(candidate: &Candidate, intake: &Intake, args: &SubmitArgs) -> Result<Told> {
    let told = match (&candidate.standing, args.force) {
        (Standing::Done, false) => {
            let erased = what_was_erased(intake.desk.store.as_ref(), candidate.run()).await?;
            return Ok(erased.map_or(Told::WasComplete, Told::WasErased));
        }
        (Standing::Submitted(_), true) => bail!(
            "{0} is under way, and its workers would trip over what is deleted: `facereel cancel {0}` first",
            candidate.run().ep_id
        ),
        (Standing::New, _) => Told::Submitted,
        _ => Told::Again,
    };
    if args.force {
        forget(intake.desk.store.as_ref(), candidate.run()).await?;
    }
    submit(&intake.desk, &candidate.asked, args.lane).await?;
    Ok(told)
}

fn tell(candidate: &Candidate, told: &Told, args: &SubmitArgs) {
    let run = candidate.run();
    let (word, explanation) = match told {
        Told::Submitted => ("submitted", format!("submitted, {} lane", args.lane)),
        Told::Again => (
            "submitted_again",
            format!("submitted again, {} lane (it was {})", args.lane, candidate.standing.word()),
        ),
        Told::WasComplete => {
            ("complete", "already complete: nothing to do (--force does it again)".to_owned())
        }
        Told::WasErased(what) => (
            "erased",
            format!("complete, and {what}: nothing was done (--force makes it anew, with all faces)"),
        ),
    };
    if args.json {
        let video = &candidate.asked.request.source.url;
        let line = json!({"ep_id": run.ep_id, "run_id": run.run_id, "video": video, "outcome": word});
        console::out(line.to_string());
    } else {
        console::out(format!("{} run {}: {explanation}", run.ep_id, run.run_id));
    }
}
