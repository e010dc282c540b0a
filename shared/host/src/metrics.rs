//! What a service counts and measures, for Prometheus. docs/services.md lists all of it; a test compares.
//!
//! Names and labels are spelled here alone. A label has few values that are known beforehand, so that the number of
//! series is, too: runs and episodes stand in logs and traces. All of a service's series are there from its start, at 0.

mod collectors;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use facereel_domain::pipeline::{Lane, Stage as StageName};
use facereel_service::worker::{JobObserver, JobOutcome, JobReport, JobStart};
use facereel_service::{Measure, ModelRole, Progress, ProgressSink};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use self::collectors::{Process, Readiness};
use crate::health::Health;

/// What the text is, for HTTP.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds for jobs, in seconds: from a repeated check to the time limit.
const DURATION_BUCKETS: [f64; 12] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];
/// Upper bounds for waiting jobs, in seconds: from at once to a backfill of days.
const WAIT_BUCKETS: [f64; 11] = [0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];
/// Values of the label `outcome`.
const OUTCOMES: [&str; 5] = ["done", "retried", "dead_lettered", "released", "cancelled"];
const MODELS: [ModelRole; 2] = [ModelRole::Detector, ModelRole::Embedder];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Seconds = Counter<f64, AtomicU64>;
type Histograms<const N: usize> = Family<Labels<N>, Histogram, Buckets>;

/// Makes histograms with the same bounds.
#[derive(Clone, Copy)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// What is known of a process from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// The service's name.
    pub(crate) service: &'static str,
    /// The stages it works on.
    pub(crate) stages: &'a [StageName],
    /// Its compute threads.
    pub(crate) threads: usize,
}

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    health: Arc<Health>,
    jobs: Family<Labels<3>, Counter>,
    durations: Histograms<1>,
    waits: Histograms<2>,
    in_flight: Family<Labels<1>, Gauge>,
    slots: Family<Labels<1>, Gauge>,
    frames: Counter,
    faces_detected: Counter,
    tracks: Counter,
    faces_embedded: Counter,
    crops: Counter,
    model_runs: Family<Labels<1>, Counter>,
    model_seconds: Family<Labels<1>, Seconds>,
    decode_seconds: Seconds,
    broker_losses: Counter,
}

impl Metrics {
    /// Everything at 0, for the process that `identity` describes.
    pub(crate) fn new(identity: Identity<'_>, health: Arc<Health>) -> Self {
        let mut r = Registry::default();
        add_facts(&mut r, identity);
        r.register_collector(Box::new(Readiness(Arc::clone(&health))));
        r.register_collector(Box::new(Process::now()));
        let metrics = Self {
            jobs: added(&mut r, "jobs", "Jobs by their end", Family::default()),
            durations: added(
                &mut r,
                "job_duration_seconds",
                "Time from receiving a job to its end",
                Family::new_with_constructor(Buckets(&DURATION_BUCKETS)),
            ),
            waits: added(
                &mut r,
                "queue_wait_seconds",
                "Time from a job's publish to its first delivery",
                Family::new_with_constructor(Buckets(&WAIT_BUCKETS)),
            ),
            in_flight: added(
                &mut r,
                "jobs_in_flight",
                "Jobs that have begun and not ended",
                Family::default(),
            ),
            slots: added(&mut r, "job_slots", "Jobs that may run at once", Family::default()),
            frames: added(&mut r, "frames", "Frames of video that detection has passed", Counter::default()),
            faces_detected: added(&mut r, "faces_detected", "Faces detected", Counter::default()),
            tracks: added(&mut r, "tracks", "Tracklets found", Counter::default()),
            faces_embedded: added(&mut r, "faces_embedded", "Vectors made", Counter::default()),
            crops: added(&mut r, "crops", "Crops written", Counter::default()),
            model_runs: added(&mut r, "model_runs", "Runs of a model", Family::default()),
            model_seconds: added(&mut r, "model_seconds", "Time in a model", Family::default()),
            decode_seconds: added(
                &mut r,
                "decode_seconds",
                "Time in reading and decoding video",
                Seconds::default(),
            ),
            broker_losses: added(
                &mut r,
                "broker_losses",
                "Times that the broker was lost or blocked",
                Counter::default(),
            ),
            health,
            registry: r,
        };
        metrics.begin_at_zero(identity);
        metrics
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Notes how many jobs of `stage` may run at once.
    pub(crate) fn set_slots(&self, stage: StageName, slots: usize) {
        self.slots.get_or_create(&of(stage)).set(slots as i64);
    }

    /// Jobs that have begun and not ended.
    pub(crate) fn in_flight(&self) -> i64 {
        StageName::ALL.iter().filter_map(|stage| Some(self.in_flight.get(&of(*stage))?.get())).sum()
    }

    /// Notes that the broker was lost or blocked.
    pub(crate) fn broker_lost(&self) {
        self.broker_losses.inc();
    }

    fn begin_at_zero(&self, identity: Identity<'_>) {
        for stage in identity.stages {
            drop(self.durations.get_or_create(&of(*stage)));
            drop(self.in_flight.get_or_create(&of(*stage)));
            drop(self.slots.get_or_create(&of(*stage)));
            for lane in Lane::ALL {
                drop(self.waits.get_or_create(&on(*stage, lane)));
                for outcome in OUTCOMES {
                    drop(self.jobs.get_or_create(&ended(*stage, lane, outcome)));
                }
            }
        }
        for model in MODELS {
            drop(self.model_runs.get_or_create(&by(model)));
            drop(self.model_seconds.get_or_create(&by(model)));
        }
    }
}

/// What does not change as long as the process lives.
fn add_facts(registry: &mut Registry, identity: Identity<'_>) {
    let threads: Gauge =
        added(registry, "compute_threads", "Threads that decode, detect, embed", Gauge::default());
    threads.set(identity.threads as i64);
    let build: Family<Labels<2>, Gauge> =
        added(registry, "build_info", "Which program this is; always 1", Family::default());
    build.get_or_create(&[("service", identity.service), ("version", env!("CARGO_PKG_VERSION"))]).set(1);
}

/// `metric`, known to the registry as `facereel_NAME`. The text adds `_total` to counters, and a full stop to `help`.
fn added<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(format!("facereel_{name}"), help, metric.clone());
    metric
}

fn add(counter: &Counter, n: u64) {
    counter.inc_by(n);
}

fn spend(counter: &Seconds, time: Duration) {
    counter.inc_by(time.as_secs_f64());
}

fn of(stage: StageName) -> Labels<1> {
    [("stage", stage.as_str())]
}

fn on(stage: StageName, lane: Lane) -> Labels<2> {
    [("stage", stage.as_str()), ("lane", lane.as_str())]
}

fn ended(stage: StageName, lane: Lane, outcome: &'static str) -> Labels<3> {
    [("stage", stage.as_str()), ("lane", lane.as_str()), ("outcome", outcome)]
}

fn by(model: ModelRole) -> Labels<1> {
    let name = match model {
        ModelRole::Detector => "detector",
        ModelRole::Embedder => "embedder",
    };
    [("model", name)]
}

impl JobObserver for Metrics {
    fn job_began(&self, start: &JobStart) {
        self.in_flight.get_or_create(&of(start.stage)).inc();
        if let Some(waited) = start.waited {
            self.waits.get_or_create(&on(start.stage, start.lane)).observe(waited.as_secs_f64());
        }
    }

    fn job_ended(&self, report: &JobReport) {
        let outcome = match report.outcome {
            JobOutcome::Done => "done",
            JobOutcome::Retried { .. } => "retried",
            JobOutcome::DeadLettered { .. } => "dead_lettered",
            JobOutcome::Released => "released",
            JobOutcome::Cancelled => "cancelled",
        };
        self.jobs.get_or_create(&ended(report.stage, report.lane, outcome)).inc();
        self.durations.get_or_create(&of(report.stage)).observe(report.duration.as_secs_f64());
        self.in_flight.get_or_create(&of(report.stage)).dec();
    }

    fn loop_turned(&self, stage: StageName) {
        self.health.turned(stage);
    }
}

impl ProgressSink for Metrics {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Advanced { stage: StageName::Detect, units } => add(&self.frames, units),
            Progress::Advanced { stage: StageName::Export, units } => add(&self.crops, units),
            _ => {}
        }
    }

    fn measure(&self, measure: Measure) {
        match measure {
            Measure::FacesDetected(n) => add(&self.faces_detected, n),
            Measure::TracksFound(n) => add(&self.tracks, n),
            Measure::FacesEmbedded(n) => add(&self.faces_embedded, n),
            Measure::Decoding(time) => spend(&self.decode_seconds, time),
            Measure::Inference { model, runs, time } => {
                add(&self.model_runs.get_or_create(&by(model)), runs);
                spend(&self.model_seconds.get_or_create(&by(model)), time);
            }
        }
    }
}

#[cfg(test)]
mod tests;
