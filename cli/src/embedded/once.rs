//! A queue that takes each job once.
//!
//! Whoever finds all parts of a stage there publishes the next stage's job, and when a run continues, every worker of
//! the stage does. Doing a job twice is harmless but not free. Here, where no message is lost while the process lives,
//! the first one is enough: equal jobs have equal bytes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use facereel_queue::{Message, Queue, QueueDecorator, QueueError, QueueName};

/// Hands every message to the queue behind it, but none twice. What comes back by its verdict is not concerned.
pub(super) struct OnceQueue {
    behind: Arc<dyn Queue>,
    published: Mutex<BTreeSet<(QueueName, Vec<u8>)>>,
}

impl OnceQueue {
    pub(super) fn new(behind: Arc<dyn Queue>) -> Self {
        Self { behind, published: Mutex::default() }
    }
}

#[async_trait]
impl QueueDecorator for OnceQueue {
    fn inner(&self) -> &dyn Queue {
        self.behind.as_ref()
    }

    async fn publish_through(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        let job = (*name, message.body().to_vec());
        if !self.published.lock().unwrap_or_else(PoisonError::into_inner).insert(job.clone()) {
            return Ok(());
        }
        let result = self.behind.publish(name, message).await;
        if result.is_err() {
            self.published.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::pipeline::{Lane, Stage};
    use facereel_queue::InProcessQueue;

    #[tokio::test]
    async fn equal_jobs_are_taken_once_and_different_ones_each() {
        let queue = OnceQueue::new(Arc::new(InProcessQueue::default()));
        let name = QueueName::new(Stage::Track, Lane::Interactive);
        for body in ["a", "b", "a"] {
            queue.publish(&name, Message::new(body).unwrap()).await.unwrap();
        }
        assert_eq!(queue.depth(&name).await.unwrap().ready, 2);
    }

    #[tokio::test]
    async fn a_job_that_was_not_taken_may_be_published_again() {
        let behind = Arc::new(InProcessQueue::default());
        let queue = OnceQueue::new(behind.clone());
        behind.close().await.unwrap();
        let name = QueueName::new(Stage::Track, Lane::Interactive);
        for _ in 0..2 {
            assert!(queue.publish(&name, Message::new("a").unwrap()).await.is_err());
        }
    }
}
