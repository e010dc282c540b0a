//! What an error of the client library means to callers.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

use crate::error::{QueueError, QueueErrorKind};

/// A failed operation at `place`: refused for good, or not available at the moment.
pub(super) fn failed(error: lapin::Error, place: impl Into<String>) -> QueueError {
    let kind = if is_refusal(&error) { QueueErrorKind::Refused } else { QueueErrorKind::Unavailable };
    QueueError::new(kind, place).with_source(error)
}

/// Whether the broker refused for good: credentials, permissions, no such virtual host, or a queue of the same
/// name with other arguments.
fn is_refusal(error: &lapin::Error) -> bool {
    matches!(
        protocol_error(error),
        Some(
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED | AMQPSoftError::PRECONDITIONFAILED)
                | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED)
        )
    )
}

/// Whether the broker says that there is no such queue.
pub(super) fn is_not_found(error: &lapin::Error) -> bool {
    matches!(protocol_error(error), Some(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)))
}

fn protocol_error(error: &lapin::Error) -> Option<&AMQPErrorKind> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.kind()),
        _ => None,
    }
}
