//! Measures the services on a real broker and a real S3 server, all on this machine, and renews the tables in a page:
//!
//! ```text
//! make bench ARGS=services      docs/benchmarks.md: the first four
//! make bench ARGS=rehearsal     docs/scaling.md
//! make bench ARGS=sizing        docs/scaling.md
//! ```
//!
//! 1. **Wall** against `facereel run` on the same clip with as many workers.
//! 2. **Traffic** through the broker for an hour of video.
//! 3. **Backfill** of many tiny episodes: pace, queues, memory.
//! 4. **Scaling** with replicas of a detector whose model costs time and no CPU (`sleeper-svc`).
//! 5. **Rehearsal** of a backfill under the manifests' autoscaling, with a figure.
//! 6. **Sizing**: what each stage takes for an hour of video, by profile, and what follows for many episodes a day.
//!
//! It lies beside the tests because it needs what they share: servers that end with it, and services as processes. Not a
//! part of `facereel bench`: the program knows nothing of servers that are started for a test.

mod backfill;
mod figure;
mod gauges;
mod page;
mod plant;
mod rehearsal;
mod scaling;
mod site;
mod sizing;
mod traffic;
mod wall;

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use facereel_test_servers::{Rabbit, SeaweedFs};

use crate::page::Table;

const USAGE: &str = "services_bench PAGE [CLIP.mp4]… [wall|traffic|backfill|scaling|rehearsal|sizing]…; sizing takes several clips";

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let page = words.next().map(PathBuf::from).context(USAGE)?;
    let is_clip = |word: &String| Path::new(word).extension() == Some(OsStr::new("mp4"));
    let (clips, mut measures): (Vec<_>, Vec<_>) = words.partition(is_clip);
    let clips: Vec<_> = clips.into_iter().map(PathBuf::from).collect();
    if measures.is_empty() {
        measures = ["wall", "traffic", "backfill", "scaling"].map(str::to_owned).into();
    }
    // They take seconds to start, and some CPU afterwards.
    let _servers = (Rabbit::shared()?, SeaweedFs::shared()?);
    let clip = || clips.first().context(USAGE);
    for name in &measures {
        let tables = match name.as_str() {
            "wall" => wall::measure(clip()?)?,
            "traffic" => traffic::measure(clip()?)?,
            "backfill" => backfill::measure(clip()?)?,
            "scaling" => scaling::measure()?,
            "rehearsal" => rehearsal::measure(&page.with_file_name("rehearsal.svg"))?,
            "sizing" => sizing::measure(&clips)?,
            unknown => bail!("there is no measure '{unknown}': {USAGE}"),
        };
        tell(&tables)?;
        page::put(&page, &tables)?;
    }
    Ok(())
}

fn tell(tables: &[Table]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    tables.iter().try_for_each(|table| writeln!(out, "{}\n", table.text()))
}
