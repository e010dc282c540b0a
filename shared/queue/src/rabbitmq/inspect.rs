//! A look at a broker for people who run one: what it is, and whether it holds the queues as this program wants them.
//!
//! Nothing is made or changed. Not to be seen this way: policies and the consumer time-out, which the broker tells only
//! to its administrators ([`DEFAULT_CONSUMER_TIMEOUT`] is what it is unless somebody changed it).

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::settings::QueueSettings;

use super::address::Address;
use super::board::Board;
use super::declare::{Onlooker, declare};
use super::greeting::Greeting;
use super::link::{Link, Role};
use super::topology::{self, QueueSpec};
use crate::error::{QueueError, QueueErrorKind};

/// How long a broker lets a consumer hold a message, unless it is configured otherwise (`consumer_timeout`). After that
/// the message is delivered again, although somebody still works on it.
pub const DEFAULT_CONSUMER_TIMEOUT: Duration = Duration::from_mins(30);

/// What a broker says about itself, and what it holds of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerReport {
    /// Where it is, without credentials.
    pub place: String,
    /// What it calls itself: `RabbitMQ`.
    pub product: String,
    /// Its version, as `3.10.8`.
    pub version: String,
    /// The cluster it belongs to.
    pub cluster_name: String,
    /// Every queue of the topology, in the order of the flow, dead letters last.
    pub queues: Vec<QueueReport>,
}

/// A queue of the topology at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueReport {
    /// Its name.
    pub name: String,
    /// Whether it is as it should be.
    pub standing: QueueStanding,
}

/// Whether a queue is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueStanding {
    /// With the arguments of the topology, the dead-letter exchange among them.
    AsWanted {
        /// Messages that wait in it.
        ready: u64,
        /// Consumers of it.
        consumers: u64,
    },
    /// Not there; whoever needs it first makes it.
    Missing,
    /// Programs will be refused: it has other arguments, or this user may not configure it.
    Refused {
        /// The broker's words: which argument, what it is and what it should be.
        explanation: String,
    },
}

impl BrokerReport {
    /// Whether programs can start to work at this broker.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.queues.iter().any(|queue| matches!(queue.standing, QueueStanding::Refused { .. }))
    }
}

/// Looks at the broker that `settings.url` names. An error means that it can't be reached, or does not let us in.
pub async fn inspect(settings: &QueueSettings, client: &str) -> Result<BrokerReport, QueueError> {
    let scheme = settings.url.split(':').next().unwrap_or_default();
    if !["amqp", "amqps"].contains(&scheme) {
        return Err(QueueError::invalid_url(scheme));
    }
    let address = Address::of(settings, client).await?;
    let greeting = Greeting::of(&address).await?;
    let link = Link::open(&address, Role::Consume, Arc::new(Board::new())).await?;
    let mut onlooker = Onlooker::new(&link);
    let mut queues = Vec::new();
    for spec in topology::all() {
        let standing = standing_of(&spec, &mut onlooker).await?;
        queues.push(QueueReport { name: spec.name, standing });
    }
    let text = |name| greeting.text(name).unwrap_or_default();
    Ok(BrokerReport {
        place: address.to_string(),
        product: text("product"),
        version: text("version"),
        cluster_name: text("cluster_name"),
        queues,
    })
}

/// A declaration of what is there changes nothing; the broker compares.
async fn standing_of(spec: &QueueSpec, onlooker: &mut Onlooker<'_>) -> Result<QueueStanding, QueueError> {
    let Some(counts) = onlooker.look(&spec.name).await? else { return Ok(QueueStanding::Missing) };
    match declare(onlooker.channel().await?, spec).await {
        Ok(()) => Ok(QueueStanding::AsWanted { ready: counts.messages, consumers: counts.consumers }),
        Err(error) if error.kind() == QueueErrorKind::Refused => {
            let words = std::error::Error::source(&error).map(ToString::to_string);
            Ok(QueueStanding::Refused { explanation: words.unwrap_or_else(|| error.to_string()) })
        }
        Err(error) => Err(error),
    }
}
