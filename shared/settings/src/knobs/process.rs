//! Where and how fast a process works; nothing here changes an artifact.

use crate::kind::Kind;
use crate::knob::{Knob, Legacy};

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "export.queue_depth",
        Kind::Integer(1, 65_536),
        "pictures",
        "Pictures that may wait for a writer before export waits itself. Deeper evens out a slow disk and \
         takes memory.",
    ),
    Knob::new(
        "export.workers",
        Kind::Integer(1, 256),
        "writers",
        "Pictures written at once. One keeps up with a local disk; object stores with their latency gain from \
         more.",
    ),
    Knob::new(
        "export.keep_work",
        Kind::Switch,
        "",
        "Keeps the objects between the stages after the commit, for looking into a run, at the price of their \
         space.",
    ),
    Knob::new(
        "limits.threads",
        Kind::Integer(0, 1024),
        "threads",
        "Native threads of all kinds together (decoding, inference, pictures). 0 takes the CPU quota of the \
         cgroup, else the machine's cores; never more than that by default.",
    ),
    Knob::new(
        "limits.cpu_percent",
        Kind::Integer(0, 102_400),
        "% of a core",
        "CPU that the whole process may use, 250 = two and a half cores; kept by the number of workers and by \
         pausing between units of work. 0 is 100 for each of `limits.threads`: there is always a limit.",
    )
    .legacy(&[Legacy::same("CPULIMIT_PERCENT")]),
    Knob::new(
        "limits.workers",
        Kind::Integer(0, 1024),
        "workers",
        "Segments and batches worked on side by side, one thread each. 0 is one for each of `limits.threads`. \
         More workers take more memory.",
    ),
    Knob::new(
        "models.dir",
        Kind::Text,
        "path",
        "The folder of the model files. Empty is `facereel/models` in the user's cache folder \
         (`XDG_CACHE_HOME`, else `~/.cache`).",
    ),
    Knob::new(
        "models.onnxruntime",
        Kind::Text,
        "path",
        "The ONNX Runtime library (`libonnxruntime.so`). Empty takes the one beside the models, else the \
         system's.",
    ),
    Knob::new(
        "queue.url",
        Kind::Text,
        "URL",
        "Where jobs wait: `in-process:` keeps them in this process, `amqp://user:password@host:port/vhost` (with \
         TLS `amqps://…`) shares them among services through RabbitMQ. Credentials in a URL are never shown.",
    ),
    Knob::new(
        "queue.ca_file",
        Kind::Text,
        "path",
        "PEM file with the certificate authority that signed the certificate of an `amqps://` broker. Empty \
         trusts the system's authorities alone.",
    ),
    Knob::new(
        "queue.attempts",
        Kind::Integer(1, 100),
        "tries",
        "How often a job is tried before it becomes a dead letter. More outlast longer outages of the store, and \
         spend more on jobs that will never work.",
    ),
    Knob::new(
        "queue.retry_sec",
        Kind::Number(0.0, 3600.0),
        "s",
        "Pause before the second try of a job; it doubles with each further one. Longer gives what failed more \
         time to recover, and makes every episode that meets a fault later.",
    ),
    Knob::new(
        "queue.longest_retry_sec",
        Kind::Number(0.0, 86_400.0),
        "s",
        "The longest pause between two tries.",
    ),
    Knob::new(
        "queue.high_water",
        Kind::Integer(1, 1_000_000),
        "jobs",
        "No further episode of a lane is planned while more detect jobs of it than this wait. Higher keeps more workers busy \
         without a pause; lower keeps the broker small and lets new work start sooner.",
    ),
    Knob::new(
        "log.level",
        Kind::Text,
        "",
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives by module \
         (`info,facereel_queue=debug`). Each step down costs some speed.",
    ),
    Knob::new(
        "log.format",
        Kind::Choice(&["text", "json"]),
        "",
        "How a log line looks: `text` for people, `json` for collectors, one object a line.",
    ),
];
