//! The settings of a process: where its inputs and outputs are, how much of the machine it takes. They never change
//! what a run's artifacts contain.

use serde::{Deserialize, Serialize};

/// Where and how fast to work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeSettings {
    /// How artifacts are written.
    pub export: ExportSettings,
    /// How much of the machine is used.
    pub limits: LimitSettings,
    /// Where models are.
    pub models: ModelSettings,
    /// Where objects are.
    pub store: StoreSettings,
    /// Where jobs are.
    pub queue: QueueSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Which videos may be read and how they are told apart.
    pub source: SourceSettings,
    /// How a service of its own behaves as a process.
    pub service: ServiceSettings,
}

/// How artifacts are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportSettings {
    /// Pictures that may wait for a writer.
    pub queue_depth: u32,
    /// Writers at once.
    pub workers: u32,
    /// Keeps the objects between the stages after the commit.
    pub keep_work: bool,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self { queue_depth: 64, workers: 1, keep_work: false }
    }
}

/// How much of the machine is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Native threads of all kinds together; 0 = the CPU quota of the cgroup, or the machine's cores.
    pub threads: u32,
    /// CPU of the whole process, 100 = one core; 0 = 100 for each of `threads`.
    pub cpu_percent: u32,
    /// Segments and batches worked on side by side; 0 = one for each of `threads`.
    pub workers: u32,
}

/// Where models are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Folder of the model files; empty = `facereel/models` in the user's cache folder.
    pub dir: String,
    /// The ONNX Runtime library; empty = the one in `dir`, else the system's.
    pub onnxruntime: String,
}

/// Where objects are. Credentials are no settings: they come from the AWS environment or profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// The path of a folder, also as `file:///…`, or `s3://bucket/prefix`.
    pub url: String,
    /// `http://host:port` or `https://host:port` of the S3 server; empty = AWS.
    pub endpoint: String,
    /// The region that requests are signed for; empty = the one of the AWS environment or profile, `us-east-1` with an
    /// endpoint.
    pub region: String,
    /// The bucket's name stands in the path of a request, not in its host.
    pub path_style: bool,
    /// A PEM file of the authority that signed the server's certificate; empty = the system's authorities.
    pub ca_file: String,
    /// How long one attempt of a request may take, without the time for its bytes.
    pub attempt_sec: f64,
    /// No attempt of a request begins later than this after its first.
    pub patience_sec: f64,
    /// Requests at once.
    pub concurrency: u32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: "data".to_owned(),
            endpoint: String::new(),
            region: String::new(),
            path_style: true,
            ca_file: String::new(),
            attempt_sec: 15.0,
            patience_sec: 60.0,
            concurrency: 16,
        }
    }
}

/// Where jobs are, and how often and when a failed one is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    /// `in-process:`, or a RabbitMQ broker: `amqp://user:password@host:port/vhost`, `amqps://…`.
    pub url: String,
    /// PEM file with the certificate authority of an `amqps` broker; empty = the system's authorities alone.
    pub ca_file: String,
    /// Tries of a job, the first one included, before it becomes a dead letter.
    pub attempts: u32,
    /// Seconds until the second try; each further pause is twice as long.
    pub retry_sec: f64,
    /// The longest pause between two tries, in seconds.
    pub longest_retry_sec: f64,
    /// Jobs that wait for detection above which no new episodes are planned.
    pub high_water: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            url: "in-process:".to_owned(),
            ca_file: String::new(),
            attempts: 5,
            retry_sec: 1.0,
            longest_retry_sec: 300.0,
            high_water: 1000,
        }
    }
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A level (`info`) or filter directives (`info,facereel_queue=debug`).
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which videos may be read and how they are told apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// Takes the digest of the whole file; off = of its size and evenly spaced blocks.
    pub whole_digest: bool,
    /// Folders and `s3://bucket/prefix` places that videos may come from; empty = anywhere the command line names.
    pub allowed_roots: Vec<String>,
}

/// How a service of its own behaves as a process; a run in one process does not read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Names of the stages that the process works on; empty = all that the service has.
    pub stages: Vec<String>,
    /// `address:port` of health and metrics; empty = loopback and the service's own port.
    pub listen: String,
    /// Jobs of a stage worked on side by side; 0 = what suits the stage.
    pub slots: u32,
    /// Seconds that the jobs at work have to end when the process is to stop.
    pub drain_sec: f64,
    /// Seconds after which a job that did not end is given back and the process ends.
    pub job_timeout_sec: f64,
    /// Seconds during which queue and store are tried for at the start.
    pub start_timeout_sec: f64,
    /// Where spans go, as OTLP over HTTP; empty = nowhere.
    pub otlp_endpoint: String,
    /// Where to die or hang, for tests; empty = nowhere.
    pub fail_point: String,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            stages: Vec::new(),
            listen: String::new(),
            slots: 0,
            drain_sec: 90.0,
            job_timeout_sec: 900.0,
            start_timeout_sec: 60.0,
            otlp_endpoint: String::new(),
            fail_point: String::new(),
        }
    }
}
