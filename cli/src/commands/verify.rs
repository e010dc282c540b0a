//! `facereel verify`: checks finished runs.

use anyhow::{Result, bail, ensure};
use clap::Args;
use exporter_svc::verify::{ErasedNote, Report, verify_all, verify_episode};
use facereel_domain::ids::EpisodeId;
use facereel_settings::{Override, redacted};
use facereel_store::StoreErrorKind;

use crate::console;
use crate::exit::Exit;
use crate::operator::{in_runtime, open_store, utc};
use crate::setting_args::SettingArgs;

/// Check finished runs: every file, digest, count and reference.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Where results are: a folder, or the URL of a store, as `s3://bucket/prefix` [default: store.url]
    #[arg(value_name = "DIR")]
    store: Option<String>,
    /// Only the committed run of this episode [default: every finished run of every episode]
    #[arg(long, value_name = "ID")]
    episode: Option<EpisodeId>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Checks and reports.
pub(crate) fn run(args: &VerifyArgs) -> Result<Exit> {
    let named = args.store.iter().map(|url| Override::flag("DIR", "store.url", url)).collect();
    let resolved = args.settings.resolve(named)?;
    let url = redacted(&resolved.settings.runtime.store.url).into_owned();
    let reports = in_runtime(async {
        let store = open_store(&resolved).await?;
        let Some(ep_id) = &args.episode else { return Ok(verify_all(store.as_ref()).await?) };
        let report = verify_episode(store.as_ref(), ep_id).await;
        if report.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::NotFound) {
            bail!("{url} holds no finished run of episode {ep_id}");
        }
        Ok(vec![report?])
    })?;
    ensure!(!reports.is_empty(), "{url} holds no finished run");
    if args.json {
        console::out(serde_json::to_string_pretty(&reports)?);
    } else {
        reports.iter().for_each(show);
    }
    Ok(if reports.iter().all(Report::is_good) { Exit::Done } else { Exit::Failed })
}

fn show(report: &Report) {
    let run = report.run.as_ref().map_or_else(
        || "a run that can't be found".to_owned(),
        |run| format!("{} run {}", run.ep_id, run.run_id),
    );
    let checked = &report.checked;
    let looked_at = format!(
        "{} files ({:.1} MB), {} rows, {} vectors, {} crops",
        checked.artifacts,
        checked.bytes as f64 / 1e6,
        checked.rows,
        checked.vectors,
        checked.crops
    );
    if report.is_good() {
        console::out(format!("good  {run}: {looked_at}"));
        report.erased.iter().for_each(|note| console::out(format!("      {}", erased(note))));
        return;
    }
    let count = match report.problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    console::out(format!("BAD   {run}: {count} in {looked_at}"));
    report.problems.iter().for_each(|problem| console::out(format!("      {problem}")));
    report.erased.iter().for_each(|note| console::out(format!("      {}", erased(note))));
}

fn erased(note: &ErasedNote) -> String {
    let whose = match note.tracks.as_deref() {
        None => "all faces".to_owned(),
        Some([track]) => format!("the faces of track {track}"),
        Some(tracks) => {
            let numbers: Vec<String> = tracks.iter().map(ToString::to_string).collect();
            format!("the faces of tracks {}", numbers.join(", "))
        }
    };
    let reason = note.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("{whose} were erased {}{reason}", utc(note.done_unix_sec))
}
