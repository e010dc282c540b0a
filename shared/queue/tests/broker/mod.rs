//! A real broker for the tests of the RabbitMQ queue, and messages from programs that are not ours.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::pipeline::{Lane, Stage};
use facereel_queue::{Consumer, DeadLetter, Delivery, Message, Queue, QueueName};
use facereel_test_servers::Rabbit;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::time::timeout;

/// What tests fail with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub const DETECT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };

/// How long a broker may take for anything, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A queue in a virtual host of its own, and its URL.
pub async fn fresh() -> (String, Arc<dyn Queue>) {
    show_logs();
    let url = blocking(|| Rabbit::shared()?.new_vhost()).await.expect("a broker");
    let queue = facereel_queue::open(&url).await.expect("a connection");
    (url, queue)
}

/// Shows what the queue logs beside a failed test.
pub fn show_logs() {
    let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_test_writer().try_init();
}

/// Work of a blocking kind, away from the runtime's threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

pub fn vhost_of(url: &str) -> String {
    url.rsplit('/').next().unwrap_or_default().to_owned()
}

pub fn message(text: &str) -> Message {
    Message::new(text.as_bytes().to_vec()).expect("a small body")
}

pub fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(delivery.message.body()).into_owned()
}

pub async fn next(consumer: &mut Box<dyn Consumer>) -> Result<Delivery, Failure> {
    Ok(timeout(PATIENCE, consumer.next()).await??.ok_or("the queue ended")?)
}

/// Dead letters, once there are `count`: the broker moves its own ones when it finds the time.
pub async fn dead_letters(queue: &Arc<dyn Queue>, count: usize) -> Result<Vec<DeadLetter>, Failure> {
    timeout(PATIENCE, async {
        loop {
            let letters = queue.dead_letters(count).await?;
            if letters.len() == count {
                return Ok(letters);
            }
        }
    })
    .await?
}

/// Publishes as a program would that knows nothing of our headers.
pub async fn publish_foreign(url: &str, queue: &str, body: &[u8]) -> Result<(), Failure> {
    let (_connection, channel) = foreign_channel(url).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = BasicProperties::default();
    let confirmation =
        channel.basic_publish("".into(), queue.into(), options, body, properties).await?.await?;
    assert!(confirmation.is_ack() && confirmation.take_message().is_none());
    Ok(())
}

/// Makes a queue that is not as ours.
pub async fn declare_foreign(url: &str, queue: &str) -> Result<(), Failure> {
    let (_connection, channel) = foreign_channel(url).await?;
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(())
}

async fn foreign_channel(url: &str) -> Result<(Connection, Channel), Failure> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}
