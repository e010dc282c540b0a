//! Queues around other queues.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::error::QueueError;
use crate::health::QueueHealth;
use crate::message::Message;
use crate::name::QueueName;
use crate::seam::{Consumer, DeadLetter, DeadLetterVerdict, Depth, Queue};

/// A queue that changes how messages go in or come out of another one. Everything else is the other one's.
#[async_trait]
pub trait QueueDecorator: Send + Sync {
    /// The queue around which this one lies.
    fn inner(&self) -> &dyn Queue;

    /// As [`Queue::publish`].
    async fn publish_through(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        self.inner().publish(name, message).await
    }

    /// As [`Queue::consume`].
    async fn consume_through(
        &self,
        names: &[QueueName],
        prefetch: usize,
    ) -> Result<Box<dyn Consumer>, QueueError> {
        self.inner().consume(names, prefetch).await
    }
}

#[async_trait]
impl<D: QueueDecorator> Queue for D {
    async fn publish(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        self.publish_through(name, message).await
    }

    async fn consume(&self, names: &[QueueName], prefetch: usize) -> Result<Box<dyn Consumer>, QueueError> {
        self.consume_through(names, prefetch).await
    }

    async fn depth(&self, name: &QueueName) -> Result<Depth, QueueError> {
        self.inner().depth(name).await
    }

    async fn purge(&self, name: &QueueName) -> Result<u64, QueueError> {
        self.inner().purge(name).await
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        self.inner().dead_letters(limit).await
    }

    async fn settle_dead_letter(&self, id: &str, verdict: DeadLetterVerdict) -> Result<bool, QueueError> {
        self.inner().settle_dead_letter(id, verdict).await
    }

    async fn settle_dead_letters(
        &self,
        ids: &[String],
        verdict: DeadLetterVerdict,
    ) -> Result<Vec<String>, QueueError> {
        self.inner().settle_dead_letters(ids, verdict).await
    }

    fn health(&self) -> watch::Receiver<QueueHealth> {
        self.inner().health()
    }

    async fn close(&self) -> Result<(), QueueError> {
        self.inner().close().await
    }
}
