//! The topology as a definitions file, for brokers that are set up before any program connects.

use serde_json::{Value, json};

use super::topology::{self, Argument, QueueSpec};

/// The file that RabbitMQ reads at its start (`load_definitions`) or by `rabbitmqctl import_definitions`: `vhost` with all
/// queues. Users and permissions are left to whoever runs the broker.
#[must_use]
pub fn definitions(vhost: &str) -> String {
    let queues: Vec<_> = topology::all().map(|spec| queue(&spec, vhost)).collect();
    // `#` pretty-prints; the order of the keys is as written.
    format!("{:#}\n", json!({ "vhosts": [{ "name": vhost }], "queues": queues }))
}

fn queue(spec: &QueueSpec, vhost: &str) -> Value {
    let arguments: serde_json::Map<_, _> = spec
        .arguments
        .iter()
        .map(|(name, argument)| {
            let value = match argument {
                Argument::Text(text) => Value::from(text.as_str()),
                Argument::Number(number) => Value::from(*number),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    json!({ "name": spec.name, "vhost": vhost, "durable": true, "auto_delete": false, "arguments": arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_up_to_date() {
        let committed = include_str!("../../../../deploy/rabbitmq/definitions.json");
        assert!(
            committed == definitions("/"),
            "cargo run -q -p facereel-queue --example definitions > deploy/rabbitmq/definitions.json"
        );
    }
}
