//! Fail points: a service that dies or hangs at a chosen step, for tests of what becomes of its jobs.
//!
//! Off unless `service.fail_point` names one: then store and queue are wrapped, otherwise nothing is. A kill is a SIGKILL
//! to itself: nothing is flushed, closed or said, as with any other.
//!
//! ```text
//! ACTION@POINT[:N[:PLACE]]
//!
//! ACTION  kill | hang
//! POINT   before-write | after-write               an object of the store
//!         before-publish | after-publish           a job that follows
//!         before-acknowledge | after-acknowledge   the job at hand
//! N       which time, counted from the start of the process (1)
//! PLACE   counts only where the object's key or the queue's name holds this text
//! ```

mod queue;
mod store;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use facereel_queue::Queue;
use facereel_store::Store;
use rustix::process::{Signal, getpid, kill_process};
use tracing::warn;

use self::queue::TrappedQueue;
use self::store::TrappedStore;

/// What happens, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailPoint {
    action: Action,
    point: Point,
    nth: u64,
    place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill,
    Hang,
}

/// A step of a job's effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    BeforeWrite,
    AfterWrite,
    BeforePublish,
    AfterPublish,
    BeforeAcknowledge,
    AfterAcknowledge,
}

const POINTS: [(&str, Point); 6] = [
    ("before-write", Point::BeforeWrite),
    ("after-write", Point::AfterWrite),
    ("before-publish", Point::BeforePublish),
    ("after-publish", Point::AfterPublish),
    ("before-acknowledge", Point::BeforeAcknowledge),
    ("after-acknowledge", Point::AfterAcknowledge),
];

/// The text names no fail point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no fail point: write ACTION@POINT[:N[:PLACE]], as in kill@after-write:2:work/detections")]
pub(crate) struct FailPointError(String);

impl FromStr for FailPoint {
    type Err = FailPointError;

    fn from_str(text: &str) -> Result<Self, FailPointError> {
        let wrong = || FailPointError(text.to_owned());
        let (action, rest) = text.split_once('@').ok_or_else(wrong)?;
        let action = match action {
            "kill" => Action::Kill,
            "hang" => Action::Hang,
            _ => return Err(wrong()),
        };
        let mut parts = rest.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let point = POINTS.iter().find(|(known, _)| *known == name).ok_or_else(wrong)?.1;
        let nth = parts.next().unwrap_or("1").parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
        Ok(Self { action, point, nth, place: parts.next().unwrap_or_default().to_owned() })
    }
}

impl fmt::Display for FailPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = POINTS.iter().find(|(_, point)| *point == self.point).map_or("", |(name, _)| name);
        write!(f, "{:?} at {name}, time {}, where '{}'", self.action, self.nth, self.place)
    }
}

/// A fail point at work: counts, and strikes once.
struct Trap {
    fail_point: FailPoint,
    passed: AtomicU64,
}

impl Trap {
    /// Passes `point` at `place`; does not return where this is the time.
    async fn pass(&self, point: Point, place: &str) {
        if point != self.fail_point.point || !place.contains(&self.fail_point.place) {
            return;
        }
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 != self.fail_point.nth {
            return;
        }
        warn!(place, "fail point reached: {}", self.fail_point);
        if self.fail_point.action == Action::Kill {
            // Where the system refused even that, hanging comes next.
            let _ = kill_process(getpid(), Signal::KILL);
        }
        std::future::pending::<()>().await;
    }
}

/// What a process works with, as it is or behind a trap.
pub(crate) struct Wrapping(Option<Arc<Trap>>);

impl Wrapping {
    /// As the setting says; empty = as it is.
    pub(crate) fn new(setting: &str) -> Result<Self, FailPointError> {
        if setting.is_empty() {
            return Ok(Self(None));
        }
        let fail_point: FailPoint = setting.parse()?;
        warn!("this process will fail on purpose: {fail_point}");
        Ok(Self(Some(Arc::new(Trap { fail_point, passed: AtomicU64::new(0) }))))
    }

    pub(crate) fn store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        match &self.0 {
            Some(trap) => Arc::new(TrappedStore { inner: store, trap: Arc::clone(trap) }),
            None => store,
        }
    }

    pub(crate) fn queue(&self, queue: Arc<dyn Queue>) -> Arc<dyn Queue> {
        match &self.0 {
            Some(trap) => Arc::new(TrappedQueue { inner: queue, trap: Arc::clone(trap) }),
            None => queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn trap(text: &str) -> Trap {
        Trap { fail_point: text.parse().unwrap(), passed: AtomicU64::new(0) }
    }

    #[test]
    fn what_is_left_out_means_the_first_time_anywhere() {
        assert_eq!("kill@after-write".parse(), "kill@after-write:1:".parse::<FailPoint>());
        for wrong in
            ["", "kill", "kill@", "kill@noon", "stop@after-write", "hang@after-write:0", "hang@after-write:x"]
        {
            assert!(wrong.parse::<FailPoint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_trap_strikes_at_its_time_and_place_and_once() {
        let trap = trap("hang@before-write:2:tracks");
        let passes = |point, place| trap.pass(point, place).now_or_never().is_some();
        assert!(passes(Point::BeforeWrite, "work/tracks.mpk"));
        assert!(passes(Point::BeforeWrite, "work/plan.mpk"));
        assert!(passes(Point::AfterWrite, "work/tracks.mpk"));
        assert!(!passes(Point::BeforeWrite, "work/tracks.mpk"));
        assert!(passes(Point::BeforeWrite, "work/tracks.mpk"));
    }
}
