//! Where the broker is, and who we are there. The password stays in here: neither errors nor logs repeat the URL.

use std::fmt;

use facereel_domain::settings::QueueSettings;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;

use crate::error::{QueueError, QueueErrorKind};

/// Seconds between signs of life: a dead peer is noticed after twice this time.
const HEARTBEAT_SEC: u16 = 15;

/// A broker, a virtual host in it, and how we call ourselves there. As text: host, port and virtual host.
#[derive(Clone)]
pub(super) struct Address {
    uri: AMQPUri,
    /// Certificates of an authority of one's own, PEM.
    authority: Option<String>,
    client: String,
}

impl Address {
    /// What the settings say; `client` is the program.
    pub(super) async fn of(settings: &QueueSettings, client: &str) -> Result<Self, QueueError> {
        let mut address = Self::parse(&settings.url)?;
        if !settings.ca_file.is_empty() {
            let read = tokio::fs::read_to_string(&settings.ca_file).await;
            let place = || format!("certificate authority {} (queue.ca_file)", settings.ca_file);
            let pem =
                read.map_err(|error| QueueError::new(QueueErrorKind::Refused, place()).with_source(error))?;
            address.authority = Some(pem);
        }
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        address.client = format!("{client} {host}:{}", std::process::id());
        Ok(address)
    }

    /// Reads `amqp://user:password@host:port/vhost`, or `amqps://` for TLS. No virtual host is the one that every
    /// broker has, `/`. `?heartbeat=` (seconds) may be given.
    fn parse(url: &str) -> Result<Self, QueueError> {
        let invalid = |reason: &str| {
            QueueError::new(QueueErrorKind::InvalidUrl, format!("queue URL for RabbitMQ ({reason})"))
        };
        let mut uri: AMQPUri =
            url.parse().map_err(|_| invalid("not of the form amqp://user:password@host:port/vhost"))?;
        if uri.authority.host.is_empty() {
            return Err(invalid("it names no host"));
        }
        if uri.vhost.is_empty() {
            "/".clone_into(&mut uri.vhost);
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SEC);
        Ok(Self { uri, authority: None, client: String::new() })
    }

    /// For the client library only.
    pub(super) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    /// Whom to trust.
    pub(super) fn tls(&self) -> OwnedTLSConfig {
        OwnedTLSConfig { identity: None, cert_chain: self.authority.clone() }
    }

    /// The program, its host and its process, as the broker shows them.
    pub(super) fn client(&self) -> &str {
        &self.client
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { authority, vhost, .. } = &self.uri;
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
    fn a_url_without_virtual_host_means_the_one_that_every_broker_has() {
        for url in ["amqp://rabbit", "amqp://rabbit/", "amqp://rabbit/%2f"] {
            assert_eq!(Address::parse(url).expect("a URL").uri().vhost, "/", "{url}");
        }
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

    #[tokio::test]
    async fn an_authority_that_is_not_there_is_named() {
        let settings = QueueSettings {
            url: "amqps://rabbit".to_owned(),
            ca_file: "/no/such/ca.pem".to_owned(),
            ..QueueSettings::default()
        };
        let error = Address::of(&settings, "test").await.err().expect("no file");
        assert!(error.is_permanent() && error.to_string().contains("/no/such/ca.pem"), "{error}");
    }
}
