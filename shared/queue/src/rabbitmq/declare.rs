//! Topology to AMQP, and looks at what is there.

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::link::Link;
use super::refusal::{failed, is_not_found};
use super::topology::{Argument, QueueSpec};
use crate::error::{QueueError, QueueErrorKind};

/// What a queue says about itself, counted by its leader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) consumers: u64,
}

/// Makes sure that the queue exists as specified.
pub(super) async fn declare(channel: &Channel, spec: &QueueSpec) -> Result<(), QueueError> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(spec.name.as_str().into(), options, arguments(spec)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(explained(error, spec)),
    }
}

/// How many messages wait in an existing queue. Where there is none, the channel is closed with the error.
pub(super) async fn count(channel: &Channel, name: &str) -> Result<u64, QueueError> {
    let counts = look(channel, name).await;
    counts.map(|counts| counts.messages).map_err(|error| failed(error, format!("count of {name}")))
}

async fn look(channel: &Channel, name: &str) -> lapin::Result<Counts> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(name.into(), options, FieldTable::default()).await?;
    Ok(Counts { messages: queue.message_count().into(), consumers: queue.consumer_count().into() })
}

/// Looks at queues that may not exist, on as many channels as that takes: the broker answers a question after a queue
/// that is not there by closing the channel.
pub(super) struct Onlooker<'a> {
    link: &'a Link,
    channel: Option<Channel>,
}

impl<'a> Onlooker<'a> {
    pub(super) fn new(link: &'a Link) -> Self {
        Self { link, channel: None }
    }

    /// A channel that is open. Each queue that was not there has cost the connection a channel for good, so it may have
    /// none left: then the next connection serves.
    pub(super) async fn channel(&mut self) -> Result<&Channel, QueueError> {
        let opened = match self.channel.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => match self.link.channel().await {
                Ok(channel) => channel,
                Err(_) => self.link.channel().await?,
            },
        };
        Ok(self.channel.insert(opened))
    }

    /// What the queue says about itself, if it exists.
    pub(super) async fn look(&mut self, name: &str) -> Result<Option<Counts>, QueueError> {
        let counts = look(self.channel().await?, name).await;
        match counts {
            Ok(counts) => Ok(Some(counts)),
            Err(error) if is_not_found(&error) => {
                self.channel = None;
                Ok(None)
            }
            Err(error) => Err(failed(error, format!("count of {name}"))),
        }
    }
}

/// A queue with other arguments is the one refusal that people have to repair by hand: say how.
fn explained(error: lapin::Error, spec: &QueueSpec) -> QueueError {
    let error = failed(error, format!("declaration of {}", spec.name));
    if error.kind() != QueueErrorKind::Refused {
        return error;
    }
    let name = &spec.name;
    let place = format!(
        "declaration of {name} (if it exists with other arguments: let it run empty, delete it, start again; \
         else: the user needs the permission to configure it)"
    );
    error.at(place)
}

fn arguments(spec: &QueueSpec) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, argument) in &spec.arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}
