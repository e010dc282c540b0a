//! What services tell of themselves, and what the machine tells of all processes.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;

use anyhow::{Context as _, Result};
use facereel_tests::fleet::{Fleet, SERVICES};

/// What a service's `/metrics` say: values by series, as `facereel_jobs_total{stage="detect",…}`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(BTreeMap<String, f64>);

impl Reading {
    /// Of the one replica of `service`.
    pub(crate) fn of(fleet: &Fleet, service: &str) -> Result<Self> {
        let answer =
            fleet.answer_of(service, "/metrics").with_context(|| format!("{service} tells nothing"))?;
        let lines = answer.body.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        Ok(Self(values.collect()))
    }

    /// Sum of the series whose text begins with `name` and holds `label`.
    pub(crate) fn sum(&self, name: &str, label: &str) -> f64 {
        let series = self.0.iter().filter(|(series, _)| series.starts_with(name) && series.contains(label));
        series.map(|(_, value)| value).sum()
    }

    /// Jobs that ended well.
    pub(crate) fn jobs_done(&self) -> f64 {
        self.sum("facereel_jobs_total", "outcome=\"done\"")
    }

    /// CPU of the process.
    pub(crate) fn cpu_sec(&self) -> f64 {
        self.sum("process_cpu_seconds_total", "")
    }

    /// Resident memory of the process.
    pub(crate) fn rss_mb(&self) -> f64 {
        self.sum("process_resident_memory_bytes", "") / 1e6
    }
}

impl Sub for Reading {
    type Output = Self;

    /// What was added since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        let before = |series: &String| earlier.0.get(series).copied().unwrap_or_default();
        Self(self.0.into_iter().map(|(series, value)| (series.clone(), value - before(&series))).collect())
    }
}

/// Readings of all services, in the order of [`SERVICES`].
pub(crate) fn of_all(fleet: &Fleet) -> Result<Vec<Reading>> {
    SERVICES.iter().map(|service| Reading::of(fleet, service)).collect()
}

/// CPU that all processes of the machine have taken since its start.
pub(crate) fn machine_cpu_sec() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat").context("/proc is needed to measure the machine")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // user nice system idle iowait irq softirq: all but idle and waiting.
    let busy = ticks.iter().take(3).sum::<f64>() + ticks.iter().skip(5).take(2).sum::<f64>();
    Ok(busy / rustix::param::clock_ticks_per_second() as f64)
}

/// The processor, how many of it may be used, and the day.
pub(crate) fn where_and_when() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let name = model.map_or("unknown CPU", |(_, name)| name.trim());
    format!("{cpus} x {}, {}", name.replace('|', "/"), time::OffsetDateTime::now_utc().date())
}
