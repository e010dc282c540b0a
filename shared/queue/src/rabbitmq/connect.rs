//! One try to connect.

use std::time::Duration;

use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

use super::address::Address;
use super::refusal::failed;
use crate::error::{QueueError, QueueErrorKind};

/// How long it may take until the broker has let us in; the library itself waits without end.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Connects; the broker shows the connection as that of our client, for `purpose`.
pub(super) async fn connect(address: &Address, purpose: &str) -> Result<Connection, QueueError> {
    let name = format!("{} {purpose}", address.client());
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime = lapin::runtime::default_runtime().map_err(|error| failed(error, address.to_string()))?;
    let connecting = Connection::connect_uri_with_config(address.uri(), properties, address.tls(), runtime);
    match timeout(TIME_LIMIT, connecting).await {
        Ok(connected) => connected.map_err(|error| failed(error, address.to_string())),
        Err(late) => Err(QueueError::new(QueueErrorKind::Unavailable, address.to_string()).with_source(late)),
    }
}
