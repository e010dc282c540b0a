//! Where objects and videos are and how they are reached; nothing here changes an artifact.

use crate::kind::Kind;
use crate::knob::Knob;

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "store.url",
        Kind::Text,
        "URL",
        "Where results go: the path of a folder, also as `file:///…`, or `s3://bucket/prefix`. All processes that work \
         on a run need the same. Credentials are no settings: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else the \
         profile in `~/.aws`, else, on AWS, the roles of the machine, container or service account.",
    ),
    Knob::new(
        "store.endpoint",
        Kind::Text,
        "URL",
        "The S3 server, `http://host:port` or `https://host:port`; for videos in buckets too. Empty is AWS.",
    ),
    Knob::new(
        "store.region",
        Kind::Text,
        "",
        "The region that requests are signed for. Empty takes AWS_REGION or the profile's, and `us-east-1` where an \
         endpoint is set.",
    ),
    Knob::new(
        "store.path_style",
        Kind::Switch,
        "",
        "Names the bucket in the path of a request, as most servers other than AWS want it; off names it in the host.",
    ),
    Knob::new(
        "store.ca_file",
        Kind::Text,
        "path",
        "PEM file of the authority that signed the S3 server's certificate, trusted alone. Empty trusts the system's \
         authorities.",
    ),
    Knob::new(
        "store.attempt_sec",
        Kind::Number(0.1, 600.0),
        "s",
        "How long one attempt of an S3 request may take; bytes get time on top. Shorter finds dead servers sooner and \
         gives up on slow ones.",
    ),
    Knob::new(
        "store.patience_sec",
        Kind::Number(0.1, 3600.0),
        "s",
        "How long a failing S3 request is tried again before its job fails and goes back into the queue. Longer rides \
         out longer outages without repeating work, and holds a worker up meanwhile.",
    ),
    Knob::new(
        "store.concurrency",
        Kind::Integer(1, 256),
        "requests",
        "S3 requests of a process at once. More fill a fast network; a server that asks to slow down lowers it by \
         itself.",
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
        "Folders and `s3://bucket/prefix` places that videos may come from. Empty allows `facereel run` any; services, \
         which take jobs from others, must name some.",
    ),
];
