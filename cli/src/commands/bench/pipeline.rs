//! `facereel bench pipeline`: what a run takes, and how near it is to the least it could take.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser as _};
use facereel_domain::layout::RunLayout;
use facereel_service::Threads;
use facereel_service::cpu::quota;

use super::compare::{Taken, measure};
use super::floors::{Floors, Leftovers};
use super::markdown::Table;
use super::own_run::own_run;
use crate::args::{self as cli, Cli};
use crate::console;
use crate::exit::Exit;
use crate::setting_args::RunSettingArgs;

/// Measure a run: time, CPU, memory, and how near it is to what its parts alone take.
///
/// The run is a process of its own. Its floors are measured afterwards on the very inputs that it had: the same
/// frames decoded and nothing else, the same images through the detector and nothing else, the same faces through the
/// embedder and nothing else.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct PipelineArgs {
    /// Another command to measure on the same clip, in turn with ours; {} stands for the video
    #[arg(long, value_name = "COMMAND")]
    compare: Option<String>,
    /// How often everything is run; the fastest counts
    #[arg(long, default_value_t = 1, value_name = "N")]
    repeat: u32,
    /// Put the result into the table of this file
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/benchmarks.md")]
    markdown: Option<PathBuf>,
    /// The video
    video: PathBuf,
    /// Flags of `facereel run`, all that follow the video
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "RUN FLAGS")]
    flags: Vec<String>,
}

const EXAMPLE: &str = "\
Example:
  facereel bench pipeline --repeat 3 --compare \"python other.py {} /tmp/out\" episode.mp4 --best 6 --workers 2";

/// Measures and prints.
pub(crate) fn run(args: &PipelineArgs) -> Result<Exit> {
    let runtime = run_settings(args)?.resolve()?.settings.runtime;
    let (mut ours, mut theirs): (Option<Taken>, Option<Taken>) = (None, None);
    let mut leftovers = None;
    for _ in 0..args.repeat.max(1) {
        let (taken, folder) = own_run(&args.video, &args.flags)?;
        ours = Some(faster(ours, taken));
        leftovers = Some(folder);
        if let Some(command) = &args.compare {
            theirs = Some(faster(theirs, measure(&mut shell(command, &args.video))?));
        }
    }
    let (ours, folder) = ours.zip(leftovers).context("nothing was run")?;
    let threads = Threads::here(&runtime.limits).compute;
    let floors = leftovers_of(folder.path())?.measure(&runtime.models, threads)?;
    let result = Measured { args, ours, theirs, floors };
    result.print();
    if let Some(file) = &args.markdown {
        TABLE.put(file, &[result.row()])?;
    }
    Ok(Exit::Done)
}

fn faster(known: Option<Taken>, new: Taken) -> Taken {
    known.filter(|known| known.wall_sec <= new.wall_sec).unwrap_or(new)
}

/// What the run's flags set; flags that `facereel run` does not know are refused before anything is measured.
fn run_settings(args: &PipelineArgs) -> Result<RunSettingArgs> {
    let line = ["facereel".into(), "run".into(), args.video.clone().into_os_string()];
    let line = line.into_iter().chain(args.flags.iter().map(Into::into));
    match Cli::try_parse_from(line)?.command {
        cli::Command::Run(run) => Ok(run.settings),
        _ => bail!("these are no flags of `facereel run`"),
    }
}

fn shell(command: &str, video: &Path) -> Command {
    let mut shell = Command::new("sh");
    // The shell gets the name as an argument, whatever is in it.
    shell.arg("-c").arg(format!("exec {}", command.replace("{}", "\"$1\""))).arg("sh").arg(video);
    shell
}

/// The one run in `folder`.
fn leftovers_of(folder: &Path) -> Result<Leftovers> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(facereel_store::open(&folder.to_string_lossy()))?;
    let runs = runtime.block_on(exporter_svc::verify::list_committed(store.as_ref()))?;
    let run = runs.first().context("the run left no results")?;
    Leftovers::read(Arc::clone(&store), RunLayout::new(run))
}

/// Everything about one clip.
struct Measured<'a> {
    args: &'a PipelineArgs,
    ours: Taken,
    theirs: Option<Taken>,
    floors: Floors,
}

const TABLE: Table = Table { name: "pipeline", header: &HEADER, keys: 2 };

const HEADER: [&str; 15] = [
    "clip",
    "flags",
    "video s",
    "wall s",
    "x real time",
    "CPU s",
    "peak MB",
    "decoded / frames",
    "analysed",
    "detector calls",
    "embeddings",
    "floors s (decode + detect + embed)",
    "CPU / floors",
    "wall, CPU against the other",
    "where, when",
];
impl Measured<'_> {
    fn print(&self) {
        let Floors { video, counts, frames_analysed, embeddings, .. } = &self.floors;
        let Taken { wall_sec, cpu_sec, peak_rss_bytes, .. } = self.ours;
        console::out(format!(
            "video       {}: {} frames, {:.1} s, {}x{}, {}",
            self.args.video.display(),
            video.frames,
            video.duration_sec,
            video.size.width,
            video.size.height,
            video.codec
        ));
        console::out(format!(
            "run         {wall_sec:.2} s wall ({:.1}x real time), {cpu_sec:.2} s CPU, {} MB at most",
            video.duration_sec / wall_sec,
            peak_rss_bytes / 1_000_000
        ));
        console::out(format!(
            "frames      {} decoded, {} left out, {frames_analysed} analysed, {} detector calls, {embeddings} embeddings",
            counts.frames_decoded, counts.frames_skipped, counts.detector_calls
        ));
        let each = |what: &str, time: std::time::Duration, count: u64| {
            let sec = time.as_secs_f64();
            let each_ms = 1e3 * sec / count.max(1) as f64;
            console::out(format!("floor       {what} {sec:.2} s CPU, {each_ms:.2} ms each"));
        };
        each("decode", self.floors.decode, counts.frames_decoded);
        each("detect", self.floors.detect, counts.detector_calls);
        each("embed ", self.floors.embed, *embeddings);
        console::out(format!(
            "floors      {:.2} s CPU; the run takes {:.2} of it",
            self.floors.sum().as_secs_f64(),
            self.over_floors()
        ));
        if let Some(theirs) = self.theirs {
            console::out(format!(
                "compared    {:.2} s wall, {:.2} s CPU, {} MB: ours takes {:.2} of the wall, {:.2} of the CPU",
                theirs.wall_sec,
                theirs.cpu_sec,
                theirs.peak_rss_bytes / 1_000_000,
                wall_sec / theirs.wall_sec,
                cpu_sec / theirs.cpu_sec
            ));
        }
    }

    fn over_floors(&self) -> f64 {
        self.ours.cpu_sec / self.floors.sum().as_secs_f64()
    }

    fn row(&self) -> Vec<String> {
        let Floors { video, counts, frames_analysed, embeddings, decode, detect, embed } = &self.floors;
        let Taken { wall_sec, cpu_sec, peak_rss_bytes, .. } = self.ours;
        let name = self.args.video.file_name().unwrap_or_default().to_string_lossy();
        let compared = self.theirs.map_or_else(String::new, |theirs| {
            format!("{:.2}, {:.2}", wall_sec / theirs.wall_sec, cpu_sec / theirs.cpu_sec)
        });
        vec![
            format!("{name} {}x{}", video.size.width, video.size.height),
            self.args.flags.join(" ").replace('|', "/"),
            format!("{:.1}", video.duration_sec),
            format!("{wall_sec:.1}"),
            format!("{:.1}", video.duration_sec / wall_sec),
            format!("{cpu_sec:.1}"),
            (peak_rss_bytes / 1_000_000).to_string(),
            format!("{} / {}", counts.frames_decoded, video.frames),
            frames_analysed.to_string(),
            counts.detector_calls.to_string(),
            embeddings.to_string(),
            format!("{:.1} + {:.1} + {:.1}", decode.as_secs_f64(), detect.as_secs_f64(), embed.as_secs_f64()),
            format!("{:.2}", self.over_floors()),
            compared,
            format!("{}, {}", machine(), time::OffsetDateTime::now_utc().date()),
        ]
    }
}

/// The processor's name and how many of it may be used.
pub(super) fn machine() -> String {
    let cpus = quota();
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let name = model.map_or("unknown CPU", |(_, name)| name.trim());
    format!("{cpus} x {}", name.replace('|', "/"))
}
