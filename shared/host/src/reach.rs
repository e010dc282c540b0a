//! Reaching broker and store at the start: both may come up after the service.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use facereel_domain::cause::chain;
use facereel_domain::settings::RuntimeSettings;
use facereel_queue::{Queue, QueueError, QueueErrorKind};
use facereel_store::{Store, StoreError, StoreErrorKind};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::exit::StartError;
use crate::health::{Health, Part, probe};

/// First pause between two tries; doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The broker, once it can be used.
pub(crate) async fn broker(
    settings: &RuntimeSettings,
    service: &str,
    health: &Health,
) -> Result<Arc<dyn Queue>, StartError> {
    let tries = Tries { part: Part::Broker, health, limit: limit(settings) };
    let open = || facereel_queue::open(&settings.queue, service);
    let late = || QueueError::new(QueueErrorKind::Unavailable, "connect to the broker in time");
    Ok(tries.until_reached(open, QueueError::is_permanent, late).await?)
}

/// The store, once it answers.
pub(crate) async fn store(settings: &RuntimeSettings, health: &Health) -> Result<Arc<dyn Store>, StartError> {
    let tries = Tries { part: Part::Store, health, limit: limit(settings) };
    let open = || async {
        let store = facereel_store::open_settings(&settings.store).await?;
        probe(store.as_ref()).await?;
        Ok(store)
    };
    let late = || StoreError::new(StoreErrorKind::Transient, "reach the store", "in time");
    Ok(tries.until_reached(open, StoreError::is_permanent, late).await?)
}

fn limit(settings: &RuntimeSettings) -> Duration {
    Duration::from_secs_f64(settings.service.start_timeout_sec)
}

/// Tries to reach a part.
struct Tries<'a> {
    part: Part,
    health: &'a Health,
    /// After this no further try begins, and one that lasts is given up.
    limit: Duration,
}

impl Tries<'_> {
    /// What `reach` gives in the end: tried again as long as there is time, unless the failure is for good.
    async fn until_reached<T, E, F>(
        &self,
        mut reach: impl FnMut() -> F,
        is_permanent: impl Fn(&E) -> bool,
        late: impl FnOnce() -> E,
    ) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let part = self.part.as_str();
        let deadline = Instant::now() + self.limit;
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match timeout_at(deadline, reach()).await {
                Ok(Ok(reached)) => {
                    info!(part, "reached");
                    self.health.set(self.part, Ok(()));
                    return Ok(reached);
                }
                Ok(Err(error)) => error,
                Err(_) => return Err(late()),
            };
            let again = Instant::now() + pause;
            if is_permanent(&error) || again >= deadline {
                return Err(error);
            }
            let reason = chain(&error);
            warn!(part, reason, "not reached; trying on");
            self.health.set(self.part, Err(reason));
            sleep_until(again).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> QueueError {
        QueueError::new(QueueErrorKind::Unavailable, "connect")
    }

    async fn tried(
        limit_sec: u64,
        mut answer: impl FnMut(u32) -> Result<u32, QueueError>,
    ) -> (Result<u32, QueueError>, u32) {
        let health = Health::new();
        let tries = Tries { part: Part::Broker, health: &health, limit: Duration::from_secs(limit_sec) };
        let mut count = 0;
        let reach = || {
            count += 1;
            std::future::ready(answer(count))
        };
        let result = tries.until_reached(reach, QueueError::is_permanent, unavailable).await;
        (result, count)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_up_late_is_reached() {
        let (result, count) = tried(60, |n| if n < 5 { Err(unavailable()) } else { Ok(n) }).await;
        assert_eq!((result.unwrap(), count), (5, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_away_is_given_up_in_time() {
        let began = Instant::now();
        let (result, count) = tried(10, |_| Err(unavailable())).await;
        assert!(result.is_err() && count > 3);
        assert!(began.elapsed() <= Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_tried_again() {
        let refused = |_| Err(QueueError::new(QueueErrorKind::Refused, "connect"));
        assert_eq!(tried(10, refused).await.1, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_does_not_end_is_given_up_in_time() {
        let health = Health::new();
        let tries = Tries { part: Part::Broker, health: &health, limit: Duration::from_secs(10) };
        let never = std::future::pending::<Result<(), QueueError>>;
        assert!(tries.until_reached(never, QueueError::is_permanent, unavailable).await.is_err());
    }
}
