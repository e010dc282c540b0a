//! The HTTP server for probes and metrics: three fixed answers, nothing else. It listens on loopback unless a setting says
//! otherwise, reads no bodies, and keeps nobody's connection for long.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use crate::health::{Answer, Health};
use crate::metrics::{self, Metrics};

/// Connections at once; more wait.
const MOST_CONNECTIONS: usize = 32;
/// How long a connection may last.
const LONGEST_CONNECTION: Duration = Duration::from_mins(1);
/// How long a request's head may take.
const LONGEST_HEAD: Duration = Duration::from_secs(5);
/// Before listening on after a failure of the system, which may be out of file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// What is answered from.
pub(crate) struct Answers {
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
}

/// A server that was bound to its address and does not answer yet.
pub(crate) struct Server(TcpListener);

impl Server {
    /// Binds to `address` (`ip:port` or `name:port`).
    pub(crate) async fn bind(address: &str) -> io::Result<Self> {
        Ok(Self(TcpListener::bind(address).await?))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers for ever.
    pub(crate) async fn run(self, answers: Arc<Answers>) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let stream = match self.0.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "a connection for probes was not accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let _place = place;
                let service = service_fn(|request| {
                    let response = respond(&request, &answers);
                    async { Ok::<_, Infallible>(response) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(LONGEST_HEAD)
                    .serve_connection(TokioIo::new(stream), service);
                if let Ok(Err(error)) = timeout(LONGEST_CONNECTION, connection).await {
                    debug!(%error, "a connection for probes ended early");
                }
            });
        }
    }
}

fn respond(request: &Request<Incoming>, answers: &Answers) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/healthz" => probed(answers.health.liveness()),
        "/readyz" => probed(answers.health.readiness()),
        "/metrics" => {
            let mut response = text(StatusCode::OK, answers.metrics.text());
            let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        _ => text(StatusCode::NOT_FOUND, "/healthz, /readyz or /metrics\n".to_owned()),
    }
}

fn probed(answer: Answer) -> Response<Full<Bytes>> {
    let status = if answer.is_yes { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    text(status, answer.text)
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
