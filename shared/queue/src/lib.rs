//! How jobs travel between stages.
//!
//! Stages see [`Queue`], [`Consumer`] and [`Delivery`] only; which implementation stands behind them is chosen by
//! URL ([`open`]). A body is bytes, also inside one process, so that there is one code path for a laptop and a
//! cluster.
//!
//! Every implementation promises, and the [`conformance`] suite checks:
//!
//! 1. **Responsibility.** `publish` returns `Ok` once the queue is responsible for the message: it will be
//!    delivered at least once. An error does not say that it will not (a confirmation can get lost): publish again.
//! 2. **Reservation.** A delivered message is nobody else's until its verdict. A delivery that is dropped without
//!    one comes back, marked `redelivered`, as it does after a crash; so does every verdict that was not accepted.
//! 3. **Acknowledged** messages never come back. This verdict needs nothing else: whoever publishes follow-up jobs
//!    first and acknowledges last loses nothing, whenever it dies.
//! 4. **Retried** messages come back to their queue after the delay, not before, with `attempt + 1`.
//! 5. **Released** messages come back at once with the same `attempt`: the work was handed back, it did not fail.
//! 6. **Dead letters** leave their queue and are kept with body, headers, queue and reason until replayed or
//!    discarded.
//! 7. **Prefetch.** One consumer has at most `prefetch` deliveries without a verdict.
//! 8. **Priority.** A consumer of several queues serves them in the order given: a message that waits in an earlier
//!    queue is handed out before those of later ones, but for at most `prefetch` that were already on their way.
//! 9. **Order.** As long as nothing comes back, one consumer gets the messages of one publisher in the order
//!    published.
//! 10. **Headers** arrive as sent; `first_seen_unix_ms` is set at the first publish and kept from then on.
//! 11. **Cancellation.** A future of `next` that is dropped before it completes takes no message with it.
//! 12. **End.** After `close`, `publish` fails and `next` returns `None`.
//!
//! Deliberately absent: exactly-once delivery (jobs are idempotent), queries over waiting messages, and selection
//! of messages by content.

pub mod conformance;
pub mod decorator;
pub mod error;
pub mod faulty;
pub mod health;
pub mod in_process;
pub mod message;
pub mod name;
pub mod rabbitmq;
pub mod seam;

use std::sync::Arc;

pub use decorator::QueueDecorator;
pub use error::{QueueError, QueueErrorKind};
use facereel_domain::settings::QueueSettings;
pub use faulty::FaultyQueue;
pub use health::{QueueHealth, QueueState};
pub use in_process::InProcessQueue;
pub use message::{Headers, Message};
pub use name::QueueName;
pub use rabbitmq::RabbitQueue;
pub use rabbitmq::inspect::{BrokerReport, QueueReport, QueueStanding, inspect};
pub use seam::{Consumer, DeadLetter, DeadLetterVerdict, Delivery, Depth, Queue, Receipt, Verdict};

/// Opens the queue that `settings.url` names, for the program `client` (as `detector-svc`: the broker shows it together
/// with host and process id).
///
/// - `in-process:` lives in this process, and ends with it.
/// - `amqp://user:password@host:port/vhost` is a RabbitMQ broker; `amqps://` the same with TLS.
///
/// A broker that can't be reached is an error here, and made good without end from then on. The URL is never repeated
/// in an error: it may hold a password.
pub async fn open(settings: &QueueSettings, client: &str) -> Result<Arc<dyn Queue>, QueueError> {
    match settings.url.split_once(':') {
        Some(("in-process", "")) => Ok(Arc::new(InProcessQueue::default())),
        Some(("amqp" | "amqps", _)) => Ok(Arc::new(RabbitQueue::open(settings, client).await?)),
        Some((scheme, _)) => Err(QueueError::invalid_url(scheme)),
        None => Err(QueueError::invalid_url("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> QueueSettings {
        QueueSettings { url: url.to_owned(), ..QueueSettings::default() }
    }

    #[tokio::test]
    async fn the_queue_is_chosen_by_url() {
        assert!(open(&settings("in-process:"), "test").await.is_ok());
    }

    #[tokio::test]
    async fn an_unknown_scheme_is_refused_with_the_known_ones_and_without_the_password() {
        let opened = open(&settings("redis://user:secret@host"), "test").await;
        let error = opened.err().expect("redis is not supported");
        assert!(error.is_permanent());
        let text = error.to_string();
        assert!(text.contains("redis") && text.contains("in-process:"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}
