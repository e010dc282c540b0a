//! How a service of its own behaves as a process. `facereel run` reads none of it.

use crate::kind::Kind;
use crate::knob::Knob;

pub(super) const KNOBS: &[Knob] = &[
    Knob::new(
        "service.stages",
        Kind::List,
        "",
        "The stages that a service works on, of those that it has: `plan` and `detect` for `detector-svc`, one for each \
         of the others. Empty takes all. With a part only, several processes of one service scale apart, and models are \
         loaded where a stage needs them.",
    ),
    Knob::new(
        "service.listen",
        Kind::Text,
        "address:port",
        "Where a service answers `/healthz`, `/readyz` and `/metrics`. Empty is loopback and the service's own port; \
         `127.0.0.1:0` takes any free one. Everybody who reaches the address may read: in a container `0.0.0.0:9460`, \
         elsewhere better not.",
    ),
    Knob::new(
        "service.slots",
        Kind::Integer(0, 1024),
        "jobs",
        "Jobs of a stage that a service works on side by side, and so many does it reserve. 0 is one more than there are \
         compute threads for detection and embedding, and one for the other stages. More hide the latency of a slow \
         store, and take memory.",
    ),
    Knob::new(
        "service.drain_sec",
        Kind::Number(0.0, 3600.0),
        "s",
        "What jobs at work have to end once a service is told to stop; what is left then goes back to its queue. Stay below \
         the time after which the orchestrator kills. Shorter stops sooner and does more work twice.",
    ),
    Knob::new(
        "service.job_timeout_sec",
        Kind::Number(1.0, 86_400.0),
        "s",
        "A job that did not end after this time goes back to its queue, and the service ends to get rid of the thread that \
         hangs. Stay below the broker's own limit (30 minutes), above what the longest track or export job takes.",
    ),
    Knob::new(
        "service.start_timeout_sec",
        Kind::Number(0.0, 3600.0),
        "s",
        "How long a service that starts tries to reach its broker and its store before it gives up.",
    ),
    Knob::new(
        "service.otlp_endpoint",
        Kind::Text,
        "URL",
        "Where a service sends its spans, as OTLP over HTTP: `http://host:4318`. Empty sends nothing to nobody.",
    ),
    Knob::new(
        "service.fail_point",
        Kind::Text,
        "",
        "For tests: where a service kills itself or hangs, as in `kill@after-write:2`. Never set it where work matters.",
    ),
];
