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
        "store.url",
        Kind::Text,
        "URL",
        "Where results go: the path of a folder, also as `file:///…`.",
    ),
    Knob::new(
        "queue.url",
        Kind::Text,
        "URL",
        "Where jobs wait: `in-process:` keeps them in this process. Credentials in a URL are never shown.",
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
    Knob::new(
        "source.whole_digest",
        Kind::Switch,
        "",
        "Identifies a video by all of its bytes, where otherwise its size and evenly spaced blocks do. \
         Certain, but reads the whole file once more.",
    ),
    Knob::new(
        "source.allowed_roots",
        Kind::List,
        "",
        "Folders and `s3://bucket` names that videos may come from. Empty allows any: right for one's own \
         machine, wrong for a service that takes jobs from others.",
    ),
];
