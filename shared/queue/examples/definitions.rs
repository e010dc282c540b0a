//! Prints the queues as a definitions file of RabbitMQ, for the virtual host that is named (`/` otherwise):
//! `cargo run -p facereel-queue --example definitions > deploy/rabbitmq/definitions.json`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let vhost = std::env::args().nth(1).unwrap_or_else(|| "/".to_owned());
    std::io::stdout().write_all(facereel_queue::rabbitmq::definitions(&vhost).as_bytes())
}
