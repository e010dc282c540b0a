//! Progress for programs: one JSON object a line on standard output.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::{Intro, Presenter, Snapshot, document};
use crate::console;
use crate::embedded::RunSummary;

/// Time between two progress events.
const EVERY: Duration = Duration::from_secs(1);

/// Events: `started`, `progress`, then `finished` or `failed`.
#[derive(Default)]
pub(super) struct Json {
    last: Option<Instant>,
}

impl Presenter for Json {
    fn started(&mut self, intro: &Intro) {
        event("started", intro);
    }

    fn update(&mut self, snapshot: &Snapshot) {
        if self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            event("progress", &document(snapshot));
        }
    }

    fn finished(&mut self, summary: &RunSummary) {
        event("finished", summary);
    }

    fn failed(&mut self, reason: &str, exit_code: u8) {
        event("failed", &json!({ "reason": reason, "exit_code": exit_code }));
    }
}

#[derive(Serialize)]
struct Event<'a, T> {
    event: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

fn event<T: Serialize>(event: &'static str, body: &T) {
    if let Ok(line) = serde_json::to_string(&Event { event, body }) {
        console::out(line);
    }
}
