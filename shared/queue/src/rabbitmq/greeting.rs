//! What a broker says about itself before anybody logs in.
//!
//! The client library reads the broker's greeting, but keeps it to itself. So a connection of its own is opened for it,
//! and left without an answer.

use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use lapin::protocol::{AMQPClass, connection, parse_class};
use lapin::tcp::AMQPUriTcpExt;
use lapin::types::FieldTable;
use tokio::time::timeout;

use super::address::Address;
use super::headers::text_of;
use super::refusal::failed;
use crate::error::{QueueError, QueueErrorKind};

/// What a client says first: AMQP 0-9-1.
const HELLO: &[u8] = b"AMQP\0\0\x09\x01";
/// Kind of frame, channel, and length of what follows.
const FRAME_HEAD_BYTES: usize = 7;
/// No greeting is longer.
const LONGEST_GREETING_BYTES: usize = 64 * 1024;
/// How long all of it may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The broker's own description.
pub(super) struct Greeting {
    properties: FieldTable,
}

impl Greeting {
    /// Asks the broker at `address`.
    pub(super) async fn of(address: &Address) -> Result<Self, QueueError> {
        let unavailable = || QueueError::new(QueueErrorKind::Unavailable, address.to_string());
        match timeout(TIME_LIMIT, read(address)).await {
            Ok(Ok(payload)) => Self::parse(&payload)
                .ok_or_else(|| unavailable().with_source("it does not greet as an AMQP 0-9-1 broker does")),
            Ok(Err(error)) => Err(error),
            Err(late) => Err(unavailable().with_source(late)),
        }
    }

    /// The text of a property, `version` for example.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.properties.inner().get(name).and_then(text_of)
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        match parse_class(payload).ok()?.1 {
            AMQPClass::Connection(connection::AMQPMethod::Start(start)) => {
                Some(Self { properties: start.server_properties })
            }
            _ => None,
        }
    }
}

/// The content of the first frame.
async fn read(address: &Address) -> Result<Vec<u8>, QueueError> {
    let unavailable = |error: std::io::Error| {
        QueueError::new(QueueErrorKind::Unavailable, address.to_string()).with_source(error)
    };
    let runtime = lapin::runtime::default_runtime().map_err(|error| failed(error, address.to_string()))?;
    let (uri, tls) = (address.uri(), address.tls());
    let mut stream = uri.connect_with_config_async(tls.as_ref(), &runtime).await.map_err(unavailable)?;
    stream.write_all(HELLO).await.map_err(unavailable)?;
    stream.flush().await.map_err(unavailable)?;
    let mut head = [0; FRAME_HEAD_BYTES];
    stream.read_exact(&mut head).await.map_err(unavailable)?;
    let [_, _, _, length @ ..] = head;
    let length = u32::from_be_bytes(length) as usize;
    let mut payload = vec![0; length.min(LONGEST_GREETING_BYTES)];
    stream.read_exact(&mut payload).await.map_err(unavailable)?;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_greeting_is_refused() {
        for payload in [&b""[..], b"HTTP/1.1 400 Bad Request", &[0, 10, 0, 50, 0, 0]] {
            assert!(Greeting::parse(payload).is_none(), "{payload:?}");
        }
    }
}
