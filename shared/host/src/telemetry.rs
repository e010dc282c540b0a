//! Logs and traces of a service.
//!
//! Logs go to standard error, as JSON unless somebody looks at them on a terminal. Every line that belongs to a job says
//! which: run, part, attempt and trace.
//!
//! Each job is a span; its trace travels with the jobs that follow, in the messages' headers (W3C `traceparent`), so that a
//! run is one trace across all services. Spans are made in any case, because logs and headers need their ids; they leave
//! the process only where `service.otlp_endpoint` says whereto.

mod export;
mod link;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use facereel_domain::settings::LogFormat;
use facereel_service::worker::TraceLink;
use facereel_settings::{Resolved, SettingsError, Source};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use self::link::Traces;
use crate::exit::StartError;

/// What is logged where nobody set a level: libraries speak only when something goes wrong.
const USUAL_LEVEL: &str = "warn,facereel=info";
/// How our crates' log targets begin.
const OURS: &str = "facereel";
/// How long the last spans may take to leave.
const FAREWELL: Duration = Duration::from_secs(3);

/// Logs and traces at work.
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Starts both for `service`, once a process. Spans are sent from `runtime`.
    pub(crate) fn start(
        service: &'static str,
        resolved: &Resolved,
        runtime: &Handle,
    ) -> Result<Self, StartError> {
        let resource = Resource::builder_empty().with_service_name(service).build();
        let mut provider = SdkTracerProvider::builder().with_resource(resource);
        let endpoint = &resolved.settings.runtime.service.otlp_endpoint;
        if !endpoint.is_empty() {
            provider = provider.with_batch_exporter(export::exporter(endpoint, runtime)?);
        }
        let provider = provider.build();
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(service))
            .with_threads(false)
            .with_location(false)
            .with_filter(Targets::new().with_target(OURS, LevelFilter::INFO));
        let filter = filter(resolved)?;
        // A second start in one process (tests) keeps the first.
        let _ =
            tracing_subscriber::registry().with(spans).with(lines(resolved).with_filter(filter)).try_init();
        Ok(Self(provider))
    }

    /// Sends what is left, if anybody wants it. Blocks for a while; the runtime must be running.
    pub(crate) fn end(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(FAREWELL) {
            tracing::warn!(%error, "the last spans did not leave");
        }
    }
}

fn filter(resolved: &Resolved) -> Result<EnvFilter, SettingsError> {
    let level = match resolved.sources.get("log.level") {
        None | Some(Source::Default) => USUAL_LEVEL,
        Some(_) => &resolved.settings.runtime.log.level,
    };
    EnvFilter::try_new(level).map_err(|_| SettingsError::NotAllowed {
        path: "log.level".to_owned(),
        value: level.to_owned(),
        allowed: "a level (info) or directives (info,facereel_queue=debug)".to_owned(),
        source_of: resolved.sources.get("log.level").cloned().unwrap_or(Source::Default),
    })
}

/// What ties jobs into traces, where telemetry was started.
pub(crate) fn link() -> Arc<dyn TraceLink> {
    Arc::new(Traces::default())
}

type Lines<S> = Box<dyn Layer<S> + Send + Sync>;

fn lines<S>(resolved: &Resolved) -> Lines<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let is_watched = io::stderr().is_terminal();
    let format = match resolved.sources.get("log.format") {
        None | Some(Source::Default) if !is_watched => LogFormat::Json,
        _ => resolved.settings.runtime.log.format,
    };
    let lines = fmt::layer().with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(is_watched).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    }
}
