//! A real broker for the tests of the RabbitMQ queue, and messages from programs that are not ours.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod deaf;

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::pipeline::{Lane, Stage};
use facereel_domain::settings::QueueSettings;
use facereel_queue::rabbitmq::topology::{Argument, QueueSpec};
use facereel_queue::{Consumer, DeadLetter, Delivery, Message, Queue, QueueHealth, QueueName};
use facereel_test_servers::Rabbit;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::time::timeout;

/// What tests fail with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub const DETECT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };
pub const TRACK: QueueName = QueueName { stage: Stage::Track, lane: Lane::Interactive };

/// How long a broker may take for anything, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A queue in a virtual host of its own, and its URL.
pub async fn fresh() -> (String, Arc<dyn Queue>) {
    let url = blocking(|| Rabbit::shared()?.new_vhost()).await.expect("a broker");
    let queue = open(&url).await.expect("a connection");
    (url, queue)
}

/// The queue at `url`, as the program `test`.
pub async fn open(url: &str) -> Result<Arc<dyn Queue>, Failure> {
    show_logs();
    Ok(facereel_queue::open(&settings(url), "test").await?)
}

pub fn settings(url: &str) -> QueueSettings {
    QueueSettings { url: url.to_owned(), ..QueueSettings::default() }
}

/// Shows what the queue logs beside a failed test.
fn show_logs() {
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

/// Waits until the queue's health is as `wanted`.
pub async fn health(
    queue: &Arc<dyn Queue>,
    wanted: impl Fn(&QueueHealth) -> bool,
) -> Result<QueueHealth, Failure> {
    Ok(timeout(PATIENCE, queue.health().wait_for(|health| wanted(health))).await??.clone())
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
    declare(&channel, queue, FieldTable::default()).await
}

/// Deletes a queue and makes it again at once, as `spec` says.
pub async fn make_again(url: &str, spec: &QueueSpec) -> Result<(), Failure> {
    let (_connection, channel) = foreign_channel(url).await?;
    let mut arguments = FieldTable::default();
    for (name, argument) in &spec.arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        arguments.insert((*name).into(), value);
    }
    channel.queue_delete(spec.name.as_str().into(), QueueDeleteOptions::default()).await?;
    declare(&channel, &spec.name, arguments).await
}

async fn declare(channel: &Channel, queue: &str, arguments: FieldTable) -> Result<(), Failure> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await?;
    Ok(())
}

async fn foreign_channel(url: &str) -> Result<(Connection, Channel), Failure> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}
