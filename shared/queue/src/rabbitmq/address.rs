//! Where the broker is. The password stays in here: neither errors nor logs repeat the URL.

use std::fmt;

use lapin::uri::AMQPUri;

use crate::error::{QueueError, QueueErrorKind};

/// Seconds between signs of life: a dead peer is noticed after twice this time.
const HEARTBEAT_SEC: u16 = 15;
/// Milliseconds for one try to connect.
const CONNECT_TIME_LIMIT_MS: u64 = 10_000;

/// A broker, a virtual host in it, and who we are there. As text: host, port and virtual host.
#[derive(Clone)]
pub(super) struct Address(AMQPUri);

impl Address {
    /// Reads `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. `?heartbeat=` (seconds) and
    /// `?connection_timeout=` (milliseconds) may be given.
    pub(super) fn parse(url: &str) -> Result<Self, QueueError> {
        let invalid = |reason: &str| {
            QueueError::new(QueueErrorKind::InvalidUrl, format!("queue URL for RabbitMQ ({reason})"))
        };
        let mut uri: AMQPUri =
            url.parse().map_err(|_| invalid("not of the form amqp://user:password@host:port/vhost"))?;
        if uri.authority.host.is_empty() {
            return Err(invalid("it names no host"));
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SEC);
        uri.query.connection_timeout.get_or_insert(CONNECT_TIME_LIMIT_MS);
        Ok(Self(uri))
    }

    /// For the client library only.
    pub(super) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { authority, vhost, .. } = &self.0;
        write!(f, "RabbitMQ at {}:{}, virtual host '{vhost}'", authority.host, authority.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_address_has_no_credentials() {
        let address = Address::parse("amqp://films:secret@rabbit:5673/tv").expect("a URL");
        assert_eq!(address.to_string(), "RabbitMQ at rabbit:5673, virtual host 'tv'");
    }

    #[test]
    fn dead_peers_are_noticed_unless_told_otherwise() {
        let heartbeat = |url| Address::parse(url).expect("a URL").uri().query.heartbeat;
        assert_eq!(heartbeat("amqp://rabbit"), Some(15));
        assert_eq!(heartbeat("amqp://rabbit/?heartbeat=60"), Some(60));
    }

    #[test]
    fn a_broken_url_is_refused_without_its_password() {
        let error = Address::parse("amqp://films:secret@rabbit:port/").err().expect("no port");
        assert!(error.is_permanent());
        assert!(!format!("{error:?}").contains("secret"));
    }
}
