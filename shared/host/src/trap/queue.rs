//! A queue whose publishes and acknowledgements pass a trap.

use std::sync::Arc;

use async_trait::async_trait;
use facereel_queue::{
    Consumer, Delivery, Message, Queue, QueueDecorator, QueueError, QueueName, Receipt, Verdict,
};

use super::{Point, Trap};

pub(super) struct TrappedQueue {
    pub(super) inner: Arc<dyn Queue>,
    pub(super) trap: Arc<Trap>,
}

#[async_trait]
impl QueueDecorator for TrappedQueue {
    fn inner(&self) -> &dyn Queue {
        self.inner.as_ref()
    }

    async fn publish_through(&self, name: &QueueName, message: Message) -> Result<(), QueueError> {
        self.trap.pass(Point::BeforePublish, &name.to_string()).await;
        self.inner.publish(name, message).await?;
        self.trap.pass(Point::AfterPublish, &name.to_string()).await;
        Ok(())
    }

    async fn consume_through(
        &self,
        names: &[QueueName],
        prefetch: usize,
    ) -> Result<Box<dyn Consumer>, QueueError> {
        let inner = self.inner.consume(names, prefetch).await?;
        Ok(Box::new(TrappedConsumer { inner, trap: Arc::clone(&self.trap) }))
    }
}

struct TrappedConsumer {
    inner: Box<dyn Consumer>,
    trap: Arc<Trap>,
}

#[async_trait]
impl Consumer for TrappedConsumer {
    async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        let Some(delivery) = self.inner.next().await? else { return Ok(None) };
        let (message, queue, redelivered) = (delivery.message.clone(), delivery.queue, delivery.redelivered);
        let receipt = TrappedReceipt { inner: delivery, trap: Arc::clone(&self.trap) };
        let trapped = Delivery::new(message, queue, Box::new(receipt));
        Ok(Some(if redelivered { trapped.marked_redelivered() } else { trapped }))
    }

    async fn close(self: Box<Self>) -> Result<(), QueueError> {
        self.inner.close().await
    }
}

struct TrappedReceipt {
    inner: Delivery,
    trap: Arc<Trap>,
}

#[async_trait]
impl Receipt for TrappedReceipt {
    async fn settle(self: Box<Self>, verdict: Verdict) -> Result<(), QueueError> {
        let name = self.inner.queue.to_string();
        match verdict {
            Verdict::Acknowledge => {
                self.trap.pass(Point::BeforeAcknowledge, &name).await;
                self.inner.ack().await?;
                self.trap.pass(Point::AfterAcknowledge, &name).await;
                Ok(())
            }
            Verdict::Retry { delay, reason } => self.inner.retry(delay, &reason).await,
            Verdict::DeadLetter { reason } => self.inner.dead_letter(&reason).await,
            Verdict::Release => self.inner.release().await,
        }
    }
}
