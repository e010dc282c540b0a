//! One clip through the services against one process: what the distance between the stages costs.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use facereel_domain::pipeline::Stage;
use facereel_tests::program::Call;

use crate::gauges::{self, Reading, machine_cpu_sec, where_and_when};
use crate::page::Table;
use crate::site::{Site, WORKERS};

/// Rounds, of which the fastest counts. The first also fills caches of the servers.
const ROUNDS: usize = 4;

/// Both ways in turn, so that a slow moment of the machine hits both.
pub(crate) fn measure(clip: &Path) -> Result<Vec<Table>> {
    let site = Site::open();
    let mut together = Vec::new();
    let mut apart = Vec::new();
    for round in 1..=ROUNDS {
        together.push(run_in_one_process(clip)?);
        apart.push(run_through_services(&site, clip, &format!("round-{round}"))?);
    }
    let (together, apart) = fastest(together).zip(fastest(apart)).context("there were no rounds")?;
    Ok(vec![comparison(clip, &together, &apart), stages(&apart)])
}

/// What a run took.
struct Taken {
    wall_sec: f64,
    /// All processes of the machine.
    cpu_sec: f64,
    /// What services added to their metrics meanwhile.
    services: Vec<Reading>,
}

fn fastest(runs: Vec<Taken>) -> Option<Taken> {
    runs.into_iter().min_by(|a, b| a.wall_sec.total_cmp(&b.wall_sec))
}

fn run_in_one_process(clip: &Path) -> Result<Taken> {
    let out = tempfile::tempdir()?;
    let call = Call::run(clip, out.path()).with(&["--quiet", "--workers", &WORKERS.to_string()]);
    let (cpu_before, began) = (machine_cpu_sec()?, Instant::now());
    call.succeed();
    let wall_sec = began.elapsed().as_secs_f64();
    Ok(Taken { wall_sec, cpu_sec: machine_cpu_sec()? - cpu_before, services: Vec::new() })
}

fn run_through_services(site: &Site, clip: &Path, id: &str) -> Result<Taken> {
    let url = site.upload(clip, id)?;
    let before = gauges::of_all(&site.fleet)?;
    let cpu_before = machine_cpu_sec()?;
    let wall_sec = site.run(&url)?.as_secs_f64();
    // What the commit is followed by counts, too: the verdict on the job, and removing what lay between the stages.
    site.fleet.wait_until("the last job's end", || {
        let now = gauges::of_all(&site.fleet).unwrap_or_default();
        now.iter().map(|reading| reading.sum("facereel_jobs_in_flight", "")).sum::<f64>() == 0.0
    });
    let cpu_sec = machine_cpu_sec()? - cpu_before;
    let after = gauges::of_all(&site.fleet)?;
    let services = after.into_iter().zip(before).map(|(after, before)| after - before).collect();
    Ok(Taken { wall_sec, cpu_sec, services })
}

fn comparison(clip: &Path, together: &Taken, apart: &Taken) -> Table {
    let of_services: f64 = apart.services.iter().map(Reading::cpu_sec).sum();
    Table {
        name: "services-wall",
        header: vec![
            "clip",
            "workers",
            "one process, wall s",
            "services, wall s",
            "ratio",
            "one process, CPU s",
            "services, CPU s",
            "broker, S3 server, `submit`, CPU s",
            "where, when",
        ],
        rows: vec![vec![
            clip.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            WORKERS.to_string(),
            format!("{:.2}", together.wall_sec),
            format!("{:.2}", apart.wall_sec),
            format!("{:.2}", apart.wall_sec / together.wall_sec),
            format!("{:.1}", together.cpu_sec),
            format!("{of_services:.1}"),
            format!("{:.1}", (apart.cpu_sec - of_services).max(0.0)),
            where_and_when(),
        ]],
    }
}

/// Where the time of the fastest round through the services went.
fn stages(apart: &Taken) -> Table {
    let row = |stage: Stage| {
        let label = format!("stage=\"{stage}\"");
        let sum = |name: &str| apart.services.iter().map(|reading| reading.sum(name, &label)).sum::<f64>();
        vec![
            stage.to_string(),
            format!("{:.0}", sum("facereel_job_duration_seconds_count")),
            format!("{:.2}", sum("facereel_job_duration_seconds_sum")),
            format!("{:.2}", sum("facereel_queue_wait_seconds_sum")),
        ]
    };
    Table {
        name: "services-stages",
        header: vec!["stage", "jobs", "from receipt to verdict, s in sum", "in the queue, s in sum"],
        rows: Stage::ALL.into_iter().map(row).collect(),
    }
}
