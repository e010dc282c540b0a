//! Topology to AMQP.

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::link::failed;
use super::topology::{Argument, QueueSpec};
use crate::error::{QueueError, QueueErrorKind};

/// Makes sure that the queue exists as specified; returns how many messages wait in it.
pub(super) async fn declare(channel: &Channel, spec: &QueueSpec) -> Result<u64, QueueError> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(spec.name.as_str().into(), options, arguments(spec)).await {
        Ok(queue) => Ok(queue.message_count().into()),
        Err(error) => Err(explained(error, spec)),
    }
}

/// How many messages wait in an existing queue, counted by its leader.
pub(super) async fn count(channel: &Channel, name: &str) -> Result<u64, QueueError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(name.into(), options, FieldTable::default()).await;
    queue.map(|queue| queue.message_count().into()).map_err(|error| failed(error, format!("count of {name}")))
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
