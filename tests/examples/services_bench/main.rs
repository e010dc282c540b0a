//! Measures the services on a real broker and a real S3 server, all on this machine, and renews the tables in a page:
//!
//! ```text
//! make bench ARGS=services
//! ```
//!
//! 1. **Wall** against `facereel run` on the same clip with as many workers.
//! 2. **Traffic** through the broker for an hour of video.
//! 3. **Backfill** of many tiny episodes: pace, queues, memory.
//! 4. **Scaling** with replicas of a detector whose model costs time and no CPU (`sleeper-svc`).
//!
//! It lies beside the tests because it needs what they share: servers that end with it, and services as processes. Not a
//! part of `facereel bench`: the program knows nothing of servers that are started for a test.

mod backfill;
mod gauges;
mod page;
mod scaling;
mod site;
mod traffic;
mod wall;

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use facereel_test_servers::{Rabbit, SeaweedFs};

use crate::page::Table;

const USAGE: &str = "services_bench CLIP PAGE [wall|traffic|backfill|scaling]…";

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let clip = words.next().map(PathBuf::from).context(USAGE)?;
    let page = words.next().map(PathBuf::from).context(USAGE)?;
    let mut measures: Vec<String> = words.collect();
    if measures.is_empty() {
        measures = ["wall", "traffic", "backfill", "scaling"].map(str::to_owned).into();
    }
    // They take seconds to start, and some CPU afterwards.
    let _servers = (Rabbit::shared()?, SeaweedFs::shared()?);
    for name in &measures {
        let tables = match name.as_str() {
            "wall" => wall::measure(&clip)?,
            "traffic" => traffic::measure(&clip)?,
            "backfill" => backfill::measure(&clip)?,
            "scaling" => scaling::measure()?,
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
