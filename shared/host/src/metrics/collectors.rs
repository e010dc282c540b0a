//! What is not counted but looked up when somebody asks.

use std::fmt::{self, Error};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use facereel_service::{cpu, memory};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use super::Labels;
use crate::health::{Health, Part};

/// What readiness consists of, 1 or 0 each.
#[derive(Debug)]
pub(super) struct Readiness(pub(super) Arc<Health>);

impl Collector for Readiness {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let parts: Family<Labels<1>, Gauge> = Family::default();
        for part in Part::ALL {
            parts.get_or_create(&[("part", part.as_str())]).set(i64::from(self.0.standing(part).is_ok()));
        }
        write(&mut encoder, ("facereel_ready", "Whether a part of what a service needs is there"), &parts)
    }
}

/// What the system knows of the process, under the names that all Prometheus clients use.
pub(super) struct Process {
    /// Seconds since 1970.
    began: f64,
}

impl Process {
    /// A process that begins now.
    pub(super) fn now() -> Self {
        Self { began: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64()) }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Process")
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let cpu = ConstCounter::new(cpu::used().as_secs_f64());
        write(&mut encoder, ("process_cpu_seconds", "CPU time of the process"), &cpu)?;
        let limit = memory::limit_bytes().unwrap_or(0) as f64;
        let gauges = [
            ("facereel_memory_limit_bytes", "Memory that the container may take, 0 without a limit", limit),
            ("process_resident_memory_bytes", "Resident memory", cpu::rss_bytes() as f64),
            ("process_start_time_seconds", "When the process began, in seconds since 1970", self.began),
            ("process_threads", "Threads of all kinds", cpu::thread_count() as f64),
        ];
        for (name, help, value) in gauges {
            write(&mut encoder, (name, help), &ConstGauge::new(value))?;
        }
        Ok(())
    }
}

fn write(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    metric: &impl EncodeMetric,
) -> Result<(), Error> {
    let encoder = encoder.encode_descriptor(name, help, None, metric.metric_type())?;
    metric.encode(encoder)
}
