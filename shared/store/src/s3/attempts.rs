//! Trying again: the one loop that every request goes through.
//!
//! An attempt fails in ways that pass (a cut connection, a busy server) or stay (no permission). What may pass is tried
//! again after a pause that doubles and is jittered, so that workers which failed together do not come back
//! together. Three things end it: the number of attempts, a deadline, and a budget of retries shared by all
//! requests of the store: when a server is down for everybody, patience of every single request would only bury it.

use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::{debug, warn};

use super::failure::{Advice, Failure};
use super::options::S3Limits;
use super::slots::Slots;
use crate::error::{StoreError, StoreErrorKind};

/// Retries that are there at first, and the most that are saved up.
const BUDGET: f64 = 200.0;

/// What a success earns: one retry in ten requests can go on for ever.
const EARNED: f64 = 0.1;

/// The loop's state, shared by all requests of a store.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) limits: S3Limits,
    slots: Slots,
    /// Retries left.
    budget: Mutex<f64>,
}

/// What a request is for, as errors tell it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose<'a> {
    /// A verb.
    pub(super) operation: &'a str,
    /// A key, prefix or URL.
    pub(super) object: &'a str,
}

/// One attempt under way. Boxed: the compiler can't yet tell of a generic one that it may move between threads.
pub(super) type Attempt<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// `work` as an attempt.
pub(super) fn boxed<'a, T>(work: impl Future<Output = Result<T, Failure>> + Send + 'a) -> Attempt<'a, T> {
    Box::pin(work)
}

impl Attempts {
    pub(super) fn new(limits: S3Limits) -> Self {
        Self { slots: Slots::new(limits.concurrency), budget: Mutex::new(BUDGET), limits }
    }

    /// Runs `attempt` until it succeeds or there is no point in going on. It must be harmless to repeat, also after
    /// it happened without our learning so; it bounds its own time.
    pub(super) async fn run<'a, T>(
        &self,
        purpose: Purpose<'_>,
        attempt: impl Fn() -> Attempt<'a, T> + Send,
    ) -> Result<T, StoreError> {
        let error = |failure: Failure| {
            StoreError::new(failure.kind, purpose.operation, purpose.object).with_source(failure)
        };
        let deadline = Instant::now() + self.limits.total;
        let mut number = 1;
        loop {
            let queued_too_long = |_| Failure::transient("too many requests are waiting for the server");
            let slot =
                timeout_at(deadline, self.slots.take()).await.map_err(queued_too_long).map_err(error)?;
            let failure = match attempt().await {
                Ok(value) => {
                    slot.went_well();
                    self.earn();
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            if failure.advice == Advice::SlowDown
                && let Some(limit) = slot.slow_down()
            {
                warn!(limit, "the object store asks for fewer requests; fewer run at once from now on");
            }
            drop(slot);
            let pause = jittered(pause_after(number, &self.limits));
            let ends = failure.advice == Advice::GiveUp
                || number >= self.limits.max_attempts
                || Instant::now() + pause >= deadline
                || !self.spend();
            if ends {
                return Err(error(failure));
            }
            debug!(operation = purpose.operation, object = purpose.object, number, %failure, "trying again");
            sleep(pause).await;
            number += 1;
        }
    }

    fn earn(&self) {
        let mut left = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + EARNED).min(BUDGET);
    }

    /// Takes a retry from the budget if there is one.
    fn spend(&self) -> bool {
        let mut left = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }
}

impl Purpose<'_> {
    /// An error without a server's part in it.
    pub(super) fn fails(self, kind: StoreErrorKind, reason: impl Into<String>) -> StoreError {
        StoreError::new(kind, self.operation, self.object).with_source(reason.into())
    }
}

/// The longest pause after attempt `number` (from 1).
fn pause_after(number: u32, limits: &S3Limits) -> Duration {
    let doubled = 2_u32.saturating_pow(number.saturating_sub(1));
    limits.first_pause.saturating_mul(doubled).min(limits.max_pause)
}

/// Between half of `pause` and all of it.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(pause) as f64 / u64::MAX as f64;
    pause.mul_f64(0.5 + 0.5 * random)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const PURPOSE: Purpose<'_> = Purpose { operation: "read", object: "a/b" };

    fn attempts() -> Attempts {
        Attempts::new(S3Limits { first_pause: Duration::from_millis(1), ..S3Limits::default() })
    }

    /// How an operation ends whose first `failing` attempts fail with `kind`, and how many there were.
    async fn failing_first(
        attempts: &Attempts,
        failing: u32,
        kind: StoreErrorKind,
    ) -> (Result<(), StoreErrorKind>, u32) {
        let count = AtomicU32::new(0);
        let result = attempts
            .run(PURPOSE, || {
                boxed(async {
                    match count.fetch_add(1, Ordering::SeqCst) {
                        n if n < failing => Err(Failure::new(kind, "as the test says")),
                        _ => Ok(()),
                    }
                })
            })
            .await;
        (result.map_err(|e| e.kind()), count.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_and_what_stays_is_not() {
        use StoreErrorKind::{Denied, Transient};
        let attempts = attempts();
        assert_eq!(failing_first(&attempts, 3, Transient).await, (Ok(()), 4));
        assert_eq!(failing_first(&attempts, 3, Denied).await, (Err(Denied), 1));
        let most = attempts.limits.max_attempts;
        assert_eq!(failing_first(&attempts, 99, Transient).await, (Err(Transient), most));
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_after_the_deadline() {
        let limits = S3Limits { first_pause: Duration::from_secs(5), ..attempts().limits };
        let start = Instant::now();
        let (result, _) = failing_first(&Attempts::new(limits.clone()), 99, StoreErrorKind::Transient).await;
        assert_eq!(result, Err(StoreErrorKind::Transient));
        assert!(start.elapsed() <= limits.total);
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_budget_ends_retries_until_successes_earn_more() {
        let attempts = attempts();
        for _ in 0..=(BUDGET as u32 / (attempts.limits.max_attempts - 1)) {
            failing_first(&attempts, 99, StoreErrorKind::Transient).await.0.unwrap_err();
        }
        assert_eq!(failing_first(&attempts, 1, StoreErrorKind::Transient).await.1, 1, "no budget");
        for _ in 0..11 {
            failing_first(&attempts, 0, StoreErrorKind::Transient).await.0.unwrap();
        }
        assert_eq!(failing_first(&attempts, 1, StoreErrorKind::Transient).await, (Ok(()), 2));
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_jittered() {
        let limits = S3Limits::default();
        assert_eq!(pause_after(1, &limits), limits.first_pause);
        assert_eq!(pause_after(3, &limits), limits.first_pause * 4);
        assert_eq!(pause_after(40, &limits), limits.max_pause);
        let second = Duration::from_secs(1);
        let drawn: Vec<_> = (0..50).map(|_| jittered(second)).collect();
        assert!(drawn.iter().all(|pause| (second / 2..=second).contains(pause)));
        assert!(drawn.iter().any(|pause| *pause != drawn[0]));
    }
}
