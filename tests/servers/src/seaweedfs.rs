//! An S3 server, SeaweedFS: loopback only, free ports, with and without TLS.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::http::{self, Answer};
use crate::{certificates, run};

/// Who may do everything. Programs take both from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
pub const ACCESS_KEY: &str = "test";
/// The secret that belongs to it.
pub const SECRET_KEY: &str = "hidden-from-everybody";

/// The longest start that is not a failure: it takes three seconds on an idle machine.
const START: Duration = Duration::from_mins(1);
/// How often a starting server is asked.
const TICK: Duration = Duration::from_millis(50);

/// A running server.
pub struct SeaweedFs {
    folder: PathBuf,
    ports: Ports,
    /// Held by whoever has the server for itself.
    _exclusive: Option<File>,
}

/// S3, S3 with TLS, then one and its internal one (gRPC) for S3, master, volumes and filer.
#[derive(Debug, Clone, Copy)]
struct Ports([u16; 9]);

impl SeaweedFs {
    /// The server that all tests of this run share; each works in buckets of its own.
    pub fn shared() -> Result<Self> {
        Self::found_or_started("seaweedfs", None)
    }

    /// A server that nobody else uses as long as this lives, for tests that stop it.
    pub fn exclusive() -> Result<Self> {
        let folder = run::folder_of("seaweedfs-exclusive")?;
        let alone = run::lock(&folder.join("exclusive.lock"))?;
        Self::found_or_started("seaweedfs-exclusive", Some(alone))
    }

    /// A new bucket.
    pub fn new_bucket(&self) -> Result<String> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        self.filer("POST", &format!("{name}/"), b"")?;
        Ok(name)
    }

    /// Puts an object into a bucket, past the S3 protocol.
    pub fn upload(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<()> {
        self.filer("PUT", &format!("{bucket}/{key}"), bytes)
    }

    /// Its address.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Its address with TLS.
    #[must_use]
    pub fn tls_endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.tls())
    }

    /// The port of its address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.s3()
    }

    /// The certificate of the authority that vouches for the server.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join(certificates::AUTHORITY)
    }

    /// Kills the server as a power cut would.
    pub fn kill(&self) -> Result<()> {
        let id = fs::read_to_string(self.folder.join("id"))?.parse()?;
        run::kill(id, &self.folder)
    }

    /// Starts it again on the same ports with the same data; returns when it is ready.
    pub fn start(&self) -> Result<()> {
        start(&self.folder, self.ports)
    }

    fn filer(&self, method: &str, path: &str, body: &[u8]) -> Result<()> {
        let answer = ask(self.ports.filer(), (method, &format!("/buckets/{path}")), body)?;
        ensure!(answer.is_good(), "{method} {path}: {}", answer.status);
        Ok(())
    }

    fn found_or_started(name: &str, exclusive: Option<File>) -> Result<Self> {
        let folder = run::folder_of(name)?;
        let _one_starts = run::lock(&folder.join("start.lock"))?;
        let noted = folder.join("ports");
        let ports = if noted.exists() {
            Ports::read(&noted)?
        } else {
            let ports = Ports(run::free_ports()?);
            configure(&folder, ports)?;
            start(&folder, ports)?;
            fs::write(&noted, ports.listed())?;
            ports
        };
        Ok(Self { folder, ports, _exclusive: exclusive })
    }
}

impl Ports {
    fn s3(self) -> u16 {
        self.0[0]
    }

    fn tls(self) -> u16 {
        self.0[1]
    }

    fn filer(self) -> u16 {
        self.0[7]
    }

    fn read(path: &Path) -> Result<Self> {
        let numbers: Result<Vec<u16>, _> = fs::read_to_string(path)?.split(' ').map(str::parse).collect();
        let numbers = numbers?.try_into();
        numbers.map(Self).map_err(|_| anyhow::anyhow!("{} is no list of ports", path.display()))
    }

    fn listed(self) -> String {
        self.0.map(|port| port.to_string()).join(" ")
    }
}

fn configure(folder: &Path, ports: Ports) -> Result<()> {
    certificates::issue(folder)?;
    let identity = format!(
        r#"{{"identities": [{{
            "name": "test",
            "credentials": [{{"accessKey": "{ACCESS_KEY}", "secretKey": "{SECRET_KEY}"}}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"]
        }}]}}"#
    );
    fs::write(folder.join("s3.json"), identity)?;
    // Each bucket has files of its own; by default seven at once, which many small buckets don't need.
    fs::write(folder.join("master.toml"), "[master.volume_growth]\ncopy_1 = 1\n")?;
    fs::create_dir_all(folder.join("data"))?;
    // The server names these by its ports, wherever its folder is.
    let sockets = ports.0.map(|port| {
        let of = |service: &str| format!("/tmp/seaweedfs-{service}-{port}.sock\n");
        ["s3", "s3-grpc", "master-grpc", "volume-grpc", "filer", "filer-grpc"].map(of).concat()
    });
    Ok(fs::write(folder.join("leftovers"), sockets.concat())?)
}

/// Starts the server and waits until it takes objects.
fn start(folder: &Path, ports: Ports) -> Result<()> {
    let log = File::create(folder.join("output"))?;
    let mut command = Command::new("weed");
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.args(["server", "-filer", "-s3", "-dir=data", "-s3.config=s3.json"]).args(addresses(ports));
    command.args(["-volume.max=1000", "-master.volumeSizeLimitMB=256", "-master.telemetry=false"]);
    command.arg(format!("-s3.cert.file={}", folder.join(certificates::CERTIFICATE).display()));
    command.arg(format!("-s3.key.file={}", folder.join(certificates::KEY).display()));
    let id = run::start(&mut command, folder).context("`make test` installs `weed`")?;
    fs::write(folder.join("id"), id.to_string())?;

    let begun = Instant::now();
    while !is_ready(ports) {
        let ended = run::ends_within(id, TICK)?;
        if ended || begun.elapsed() > START {
            bail!("no S3 server: {}", fs::read_to_string(folder.join("output"))?);
        }
    }
    Ok(())
}

fn addresses(ports: Ports) -> Vec<String> {
    let [s3, tls, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc] = ports.0;
    let mut arguments: Vec<String> = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"].map(str::to_owned).into();
    // Services that no test asks.
    arguments.extend(["-s3.port.iceberg=0", "-s3.port.lance=0"].map(str::to_owned));
    for (name, port) in [
        ("s3.port", s3),
        ("s3.port.https", tls),
        ("s3.port.grpc", s3_grpc),
        ("master.port", master),
        ("master.port.grpc", master_grpc),
        ("volume.port", volume),
        ("volume.port.grpc", volume_grpc),
        ("filer.port", filer),
        ("filer.port.grpc", filer_grpc),
    ] {
        arguments.push(format!("-{name}={port}"));
    }
    arguments
}

/// Whether objects can be written and S3 answers.
fn is_ready(ports: Ports) -> bool {
    let is_good = |answer: Result<Answer>| answer.is_ok_and(|answer| answer.is_good());
    is_good(ask(ports.filer(), ("PUT", "/ready"), b"?")) && is_good(ask(ports.s3(), ("GET", "/healthz"), b""))
}

/// The answer to a request.
fn ask(port: u16, (method, path): (&str, &str), body: &[u8]) -> Result<Answer> {
    http::request(("127.0.0.1", port), (method, &escaped(path)), &[], body)
}

/// A path as it stands in a request.
fn escaped(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let escape = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    path.bytes().map(escape).collect()
}
