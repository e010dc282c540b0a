//! A real S3 server for a test: `SeaweedFS` on free loopback ports, with data of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use facereel_store::s3::{AccessKey, S3Limits, S3Options, S3Store};
use tempfile::TempDir;
use tokio::time::{Instant, interval};

/// The bucket that a server starts with.
pub(crate) const BUCKET: &str = "films";

const SECRET: &str = "hidden-from-everybody";

/// The longest start that is not a failure: it takes three seconds on an idle machine.
const START: Duration = Duration::from_mins(1);

/// Stops the server as soon as its standard input ends, which it does however the test ends, also by a signal; then
/// deletes its data, and the sockets that it names by its ports.
const GUARD: &str = r#"
folder=$1 ports=$2; shift 2
"$@" & server=$!
read -r _
kill -9 $server; wait
rm -rf "$folder"
for port in $ports; do rm -f /tmp/seaweedfs-*-"$port".sock; done
"#;

/// A running server; stopped and its data deleted when dropped.
pub(crate) struct Weed {
    guard: Child,
    port: u16,
    log: PathBuf,
}

impl Weed {
    /// Starts a server and waits until it takes objects.
    pub(crate) async fn start() -> Self {
        // The guard deletes the folder, so that it is gone after a killed test too.
        let folder = TempDir::new().expect("a temporary folder").keep();
        let identity = format!(
            r#"{{"identities":[{{"name":"test","credentials":[{{"accessKey":"test","secretKey":"{SECRET}"}}],
            "actions":["Admin","Read","Write","List","Tagging"]}}]}}"#
        );
        let config = folder.join("s3.json");
        std::fs::write(&config, identity).expect("a written file");
        let ports = free_ports::<8>();
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).arg(&folder).arg(ports.map(|port| port.to_string()).join(" "));
        command.args(["weed", "server", "-filer", "-s3"]);
        command.args([
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-volume.max=20",
            "-master.volumeSizeLimitMB=256",
        ]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
        command.arg(format!("-dir={}", folder.display())).arg(format!("-s3.config={}", config.display()));
        for (name, port) in ["s3", "master", "volume", "filer"].iter().zip(ports.chunks(2)) {
            command.arg(format!("-{name}.port={}", port[0])).arg(format!("-{name}.port.grpc={}", port[1]));
        }
        let log = folder.join("log");
        let errors = std::fs::File::create(&log).expect("a log file");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors);
        let weed = Self { guard: command.spawn().expect("a shell"), port: ports[0], log };
        weed.ready().await;
        weed
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A client of the server without anything of ours in between.
    pub(crate) fn client(&self) -> Client {
        client(self.port)
    }

    /// A store below `prefix`.
    pub(crate) async fn store(&self, prefix: &str) -> S3Store {
        let url = format!("s3://{BUCKET}/{prefix}");
        S3Store::open(&url, &options(self.port)).await.expect("the server is ready")
    }

    /// Waits until there is the bucket and objects can be written to it.
    async fn ready(&self) {
        let client = self.client();
        let start = Instant::now();
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let made = client.create_bucket().bucket(BUCKET).send().await.is_ok()
                || client.head_bucket().bucket(BUCKET).send().await.is_ok();
            let body = ByteStream::from_static(b"ready?");
            if made && client.put_object().bucket(BUCKET).key("ready").body(body).send().await.is_ok() {
                return;
            }
            if start.elapsed() > START {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                panic!("no S3 server: is `weed` installed (`make test` does so)? It said:\n{log}");
            }
        }
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Options for what listens on `port`: the server or something before it.
pub(crate) fn options(port: u16) -> S3Options {
    S3Options {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        credentials: Some(AccessKey { id: "test".to_owned(), secret: SECRET.to_owned() }),
        limits: S3Limits {
            attempt: Duration::from_secs(10),
            first_pause: Duration::from_millis(5),
            ..S3Limits::default()
        },
        ..S3Options::default()
    }
}

fn client(port: u16) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", SECRET, None, None, "test"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .force_path_style(true)
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .http_client(http);
    Client::from_conf(config.build())
}

/// Ports that nobody listens on, all different. They lie below those that the system gives to outgoing connections:
/// else another server's connection could take one before ours listens on it.
fn free_ports<const N: usize>() -> [u16; N] {
    static STARTS: AtomicU32 = AtomicU32::new(0);
    // Processes and servers at the same time begin at different places.
    let place = std::process::id().wrapping_mul(16) + STARTS.fetch_add(1, Ordering::Relaxed) * 4_000;
    let candidates = (0..12_000).map(|i| 20_000 + ((place + i) % 12_000) as u16);
    let free = candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.take(N).collect::<Vec<_>>().try_into().expect("some free ports")
}
