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

/// Where objects are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// The path of a folder, also as `file:///…`.
    pub url: String,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { url: "data".to_owned() }
    }
}

/// Where jobs are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    /// `in-process:`.
    pub url: String,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { url: "in-process:".to_owned() }
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
    /// Folders and `s3://bucket` names that videos may come from; empty = anywhere the command line names.
    pub allowed_roots: Vec<String>,
}
