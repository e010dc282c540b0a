//! `facereel backfill`: hands many videos to the services, no faster than they are done.

mod teller;

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use facereel_domain::pipeline::Lane;
use facereel_service::StopSignals;
use indicatif::MultiProgress;

use self::teller::Teller;
use crate::console;
use crate::exit::{self, Exit};
use crate::logging;
use crate::operator::{
    Campaign, Event, Intake, LastPace, Pace, Selection, Until, find_entries, forecast, in_runtime,
};
use crate::setting_args::RunSettingArgs;

/// How often the store and the queues are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Hand many videos to the services, no faster than they are done.
///
/// Looks at every video and its run first and says what there is to do. Finished runs are not done again. Interrupted
/// (Ctrl-C, a kill, a lost connection), the same command continues: what is under way goes on meanwhile, and is neither
/// lost nor handed over twice. Nothing is handed over while the detect queue is above `queue.high_water`.
///
/// A list has one video a line (a path, file:///… or `s3://bucket/key`), optionally a tab and the episode's id behind it;
/// lines that begin with # are comments. Without an id the episode is named by the video: the last part of its path
/// without the ending, '-' for every character but letters, digits, '.', '_' and '-'. Two videos with the same id are
/// refused.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
#[expect(clippy::struct_excessive_bools, reason = "a command line has flags")]
pub(crate) struct BackfillArgs {
    /// A list of videos, a folder, or `s3://bucket/prefix`
    #[arg(value_name = "LIST")]
    place: String,
    /// How urgent: interactive or backfill
    #[arg(long, value_name = "LANE", default_value = "backfill")]
    lane: Lane,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Hand failed and cancelled runs over again
    #[arg(long)]
    retry: bool,
    /// Delete what finished runs with these very settings left and do them again; includes --retry
    #[arg(long)]
    force: bool,
    /// Runs under way at once
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_in_flight: u32,
    /// Return once all are handed over, without waiting for their end
    #[arg(long)]
    no_wait: bool,
    /// Print events, one JSON object a line, on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: RunSettingArgs,
}

const EXAMPLES: &str = "\
Examples:
  facereel backfill s3://films/season-1 --dry-run
  facereel backfill s3://films/season-1 --profile fast
  facereel backfill episodes.txt --max-in-flight 16
  facereel backfill episodes.txt --retry          once more for those that failed";

impl BackfillArgs {
    fn selection(&self) -> Selection {
        match (self.force, self.retry) {
            (true, _) => Selection::All,
            (false, true) => Selection::Ended,
            (false, false) => Selection::New,
        }
    }

    fn until(&self) -> Until {
        if self.no_wait { Until::Submitted } else { Until::Ended }
    }
}

/// Plans, then hands over until all is done.
pub(crate) fn run(args: &BackfillArgs) -> Result<Exit> {
    let resolved = args.settings.resolve()?;
    let bars = MultiProgress::new();
    logging::start(&resolved, &bars)?;
    resolved.notes.iter().for_each(|note| console::err(format!("note: {note}")));
    let pace = Pace {
        lane: args.lane,
        max_in_flight: args.max_in_flight as usize,
        high_water: resolved.settings.runtime.queue.high_water.into(),
        look_every: LOOK_EVERY,
    };
    let mut teller = if args.json { Teller::for_programs() } else { Teller::for_people(&bars) };
    in_runtime(async {
        let mut signals = StopSignals::listen()?;
        let intake = Intake::open(resolved, "facereel backfill").await?;
        let entries = find_entries(&args.place, &intake.sources).await?;
        let looked_at = tokio::select! {
            looked_at = intake.look_at(entries) => looked_at,
            () = signals.next() => return Ok(Exit::Interrupted),
        };
        let catalogue = looked_at?;
        let last = LastPace::read(intake.desk.store.as_ref()).await?;
        teller.plan(&forecast(&catalogue, args.selection(), last), &catalogue.refused);
        if args.dry_run {
            return Ok(Exit::Done);
        }
        let has_refused = !catalogue.refused.is_empty();
        let mut campaign = Campaign::new(&intake.desk, pace, (catalogue.candidates, args.selection()));
        let mut tell = |event: Event<'_>| teller.tell(&event);
        let ended = tokio::select! {
            ended = campaign.run(args.until(), &mut tell) => Some(ended),
            () = signals.next() => None,
        };
        teller.end(campaign.tally(), ended.is_some());
        let Some(ended) = ended else { return Ok(Exit::Interrupted) };
        ended?;
        Ok(if campaign.tally().failed > 0 || has_refused { Exit::Failed } else { Exit::Done })
    })
}
