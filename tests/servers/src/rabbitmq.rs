//! A RabbitMQ broker of Debian's package, without its service: private node, loopback only, free ports.
//!
//! It starts with the definitions that a deployment gets (`deploy/rabbitmq`), in virtual host `/`.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};

use crate::{certificates, http, run};

/// Where the package keeps the scripts that do not ask who calls.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
/// The queues that a deployment starts with.
const DEFINITIONS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rabbitmq/definitions.json"));
/// With definitions of its own, a broker makes no user by itself.
const USERS: &str = r#"{
    "users": [{"name": "guest", "password": "guest", "tags": "administrator"}],
    "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]
}"#;
/// `guest:guest`, as HTTP wants it.
const AUTHORIZATION: &str = "Authorization: Basic Z3Vlc3Q6Z3Vlc3Q=";

/// A running broker.
pub struct Rabbit {
    folder: PathBuf,
    ports: Ports,
    /// Held by whoever has the broker for itself.
    _exclusive: Option<File>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    amqp: u16,
    tls: u16,
    management: u16,
    distribution: u16,
    epmd: u16,
}

impl Rabbit {
    /// The broker that all tests of this run share; each works in virtual hosts of its own.
    pub fn shared() -> Result<Self> {
        Self::found_or_started("rabbitmq", None)
    }

    /// A broker that nobody else uses as long as this lives, for tests that stop it or put it into an alarm.
    pub fn exclusive() -> Result<Self> {
        let folder = run::folder_of("rabbitmq-exclusive")?;
        let alone = run::lock(&folder.join("exclusive.lock"))?;
        Self::found_or_started("rabbitmq-exclusive", Some(alone))
    }

    /// A new virtual host, as URL with credentials.
    pub fn new_vhost(&self) -> Result<String> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test-{}-{number}", std::process::id());
        self.api("PUT", &format!("vhosts/{name}"))?;
        Ok(format!("amqp://guest:guest@127.0.0.1:{}/{name}", self.ports.amqp))
    }

    /// The virtual host `/`, with the queues of the definitions, as URL with credentials.
    #[must_use]
    pub fn prepared_vhost(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// The same place with TLS.
    #[must_use]
    pub fn with_tls(&self, url: &str) -> String {
        let Ports { amqp, tls, .. } = self.ports;
        url.replacen("amqp:", "amqps:", 1).replacen(&format!(":{amqp}/"), &format!(":{tls}/"), 1)
    }

    /// The certificate of the authority that vouches for the broker.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join(certificates::AUTHORITY)
    }

    /// A request without a body to the management API, path below `/api/`.
    pub fn api(&self, method: &str, path: &str) -> Result<String> {
        let address = ("127.0.0.1", self.ports.management);
        let headers = [AUTHORIZATION, "Content-Type: application/json"];
        let answer = http::request(address, (method, &format!("/api/{path}")), &headers, b"")?;
        ensure!(answer.is_good(), "{method} {path}: {} {}", answer.status, answer.body);
        Ok(answer.body)
    }

    /// What `rabbitmqctl` prints.
    pub fn ctl(&self, args: &[&str]) -> Result<String> {
        let output = script("rabbitmqctl", &self.folder, self.ports).arg("--quiet").args(args).output()?;
        ensure!(output.status.success(), "rabbitmqctl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Kills the broker as a power cut would.
    pub fn kill(&self) -> Result<()> {
        run::kill(self.id()?, &self.folder)
    }

    /// Stops the broker as an administrator does.
    pub fn stop(&self) -> Result<()> {
        run::end(self.id()?, &self.folder, || self.ctl(&["stop"]).map(drop))
    }

    /// Starts it again on the same ports with the same data; returns when it is ready.
    pub fn start(&self) -> Result<()> {
        start(&self.folder, self.ports)
    }

    fn id(&self) -> Result<u32> {
        noted_id(&self.folder)
    }

    fn found_or_started(name: &str, exclusive: Option<File>) -> Result<Self> {
        let folder = run::folder_of(name)?;
        let _one_starts = run::lock(&folder.join("start.lock"))?;
        let noted = folder.join("ports");
        let ports = if noted.exists() {
            let ports = Ports::read(&noted)?;
            if TcpStream::connect(("127.0.0.1", ports.amqp)).is_err() {
                // A test that stopped it failed before it started it again, or was killed while it did.
                if let Ok(id) = noted_id(&folder) {
                    let _ = run::kill(id, &folder);
                }
                start(&folder, ports)?;
            }
            ports
        } else {
            let [amqp, tls, management, distribution, epmd] = run::free_ports()?;
            let ports = Ports { amqp, tls, management, distribution, epmd };
            configure(&folder, ports)?;
            start(&folder, ports)?;
            fs::write(&noted, format!("{amqp} {tls} {management} {distribution} {epmd}"))?;
            ports
        };
        Ok(Self { folder, ports, _exclusive: exclusive })
    }
}

impl Ports {
    fn read(path: &Path) -> Result<Self> {
        let numbers: Result<Vec<u16>, _> = fs::read_to_string(path)?.split(' ').map(str::parse).collect();
        match numbers?[..] {
            [amqp, tls, management, distribution, epmd] => {
                Ok(Self { amqp, tls, management, distribution, epmd })
            }
            _ => bail!("{} is no list of ports", path.display()),
        }
    }
}

/// The process that was started last.
fn noted_id(folder: &Path) -> Result<u32> {
    Ok(fs::read_to_string(folder.join("id"))?.parse()?)
}

fn configure(folder: &Path, ports: Ports) -> Result<()> {
    fs::write(folder.join("epmd-port"), ports.epmd.to_string())?;
    fs::write(folder.join("plugins"), "[rabbitmq_management].")?;
    certificates::issue(folder)?;
    let definitions = folder.join("definitions");
    fs::create_dir_all(&definitions)?;
    fs::write(definitions.join("1-queues.json"), DEFINITIONS)?;
    fs::write(definitions.join("2-users.json"), USERS)?;
    let Ports { amqp, tls, management, .. } = ports;
    let place = folder.display();
    let [authority, certificate, key] =
        [certificates::AUTHORITY, certificates::CERTIFICATE, certificates::KEY];
    let settings = format!(
        "listeners.tcp.default = 127.0.0.1:{amqp}\n\
         listeners.ssl.default = 127.0.0.1:{tls}\n\
         ssl_options.cacertfile = {place}/{authority}\n\
         ssl_options.certfile = {place}/{certificate}\n\
         ssl_options.keyfile = {place}/{key}\n\
         load_definitions = {place}/definitions\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n"
    );
    Ok(fs::write(folder.join("rabbitmq.conf"), settings)?)
}

/// Starts the broker and waits until it says, as it would to systemd, that it is ready.
fn start(folder: &Path, ports: Ports) -> Result<()> {
    let socket = folder.join("notify");
    let _ = fs::remove_file(&socket);
    let news = UnixDatagram::bind(&socket).with_context(|| format!("no socket {}", socket.display()))?;
    let log = File::create(folder.join("output"))?;
    let mut command = script("rabbitmq-server", folder, ports);
    command.env("NOTIFY_SOCKET", &socket).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let id = run::start(&mut command, folder)?;
    fs::write(folder.join("id"), id.to_string())?;

    let end = run::watch(id)?;
    let mut buffer = [0; 1024];
    let inbox = OwnedFd::from(news.try_clone()?);
    loop {
        if run::wait_for(&[&inbox, &end])? == 1 {
            bail!("the broker ended: {}", fs::read_to_string(folder.join("output"))?);
        }
        let len = news.recv(&mut buffer)?;
        if buffer[..len].windows(7).any(|window| window == b"READY=1") {
            return Ok(());
        }
    }
}

/// One of the package's scripts, told where everything of this broker is.
fn script(name: &str, folder: &Path, ports: Ports) -> Command {
    let installed = Path::new(SCRIPTS).join(name);
    let mut command = Command::new(if installed.exists() { installed } else { name.into() });
    command
        // Dumps of a node that dies go to where it was started.
        .current_dir(folder)
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", "facereel-tests@localhost")
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none")
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", ports.epmd.to_string());
    command
}
