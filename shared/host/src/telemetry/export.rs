//! Sending spans away, as OTLP over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use tokio::runtime::Handle;

use crate::exit::StartError;

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Where collectors take spans.
const PATH: &str = "/v1/traces";

/// An exporter to the collector at `endpoint` (`http://host:port`), over connections that `runtime` drives.
pub(super) fn exporter(endpoint: &str, runtime: &Handle) -> Result<SpanExporter, StartError> {
    if !endpoint.starts_with("http://") {
        let reason = "give http://host:port; for a collector behind TLS, run an agent beside the service";
        return Err(StartError::Otlp(reason.into()));
    }
    let client =
        OnRuntime { client: HyperClient::with_default_connector(LIMIT, None), runtime: runtime.clone() };
    SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
        .with_timeout(LIMIT)
        .build()
        .map_err(|error| StartError::Otlp(error.into()))
}

/// The client needs tokio's timers and sockets; the thread that sends batches has none.
#[derive(Debug)]
struct OnRuntime {
    client: HyperClient,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}
