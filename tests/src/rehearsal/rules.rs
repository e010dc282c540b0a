//! What the manifests say about a stage: its Deployment, and how the `ScaledObject` has it scaled.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use facereel_domain::pipeline::Stage;
use serde::Deserialize;
use serde_json::Value;

use crate::fleet::SERVICES;
use crate::manifests::{self, Object};

/// A Deployment and its `ScaledObject`.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The stage that its replicas work on.
    pub stage: Stage,
    /// Their program.
    pub service: &'static str,
    /// Cores of a replica.
    pub cores: f64,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How many there are.
    pub rules: Rules,
}

/// How a `ScaledObject` has replicas made and taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// Between two looks at the queues.
    pub polling: Duration,
    /// From the last job to the fewest replicas.
    pub cooldown: Duration,
    /// The queues that count.
    pub triggers: Vec<Trigger>,
    /// How fast there may be more.
    pub up: Behavior,
    /// How fast there may be fewer.
    pub down: Behavior,
}

/// A queue that replicas are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub queue: String,
    /// Jobs, waiting and held, that one replica is there for.
    pub jobs: u64,
}

/// Limits of change in one direction. Of several policies the one that allows most counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Behavior {
    #[serde(rename = "stabilizationWindowSeconds")]
    window_sec: u64,
    #[serde(default)]
    select_policy: Selection,
    /// How much may change in how long.
    pub policies: Vec<Policy>,
}

/// The default, which is all that is played here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum Selection {
    #[default]
    Max,
}

/// How much may change in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// What `value` counts.
    #[serde(rename = "type")]
    pub unit: Unit,
    /// So many of them.
    pub value: u32,
    #[serde(rename = "periodSeconds")]
    period_sec: u64,
}

/// What a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Replicas.
    Pods,
    /// Hundredths of the replicas at the period's begin.
    Percent,
}

impl Behavior {
    /// How long a wish has to stand: within it the most cautious one counts.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_secs(self.window_sec)
    }
}

impl Policy {
    /// In how long.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.period_sec)
    }
}

/// The stages of an overlay below `deploy/kubernetes`, in the order of the flow.
pub fn of_overlay(folder: &str) -> Result<Vec<Deployed>> {
    let objects = manifests::objects(folder);
    let scaled = objects.iter().filter(|object| object.kind() == "ScaledObject");
    let deployed = scaled.map(|object| {
        let target = object.text("/spec/scaleTargetRef/name");
        let deployment = objects.iter().find(|o| o.kind() == "Deployment" && o.name() == target);
        let deployment = deployment.with_context(|| format!("{} scales nothing", object.title()))?;
        of_pair(deployment, object).with_context(|| format!("{folder}: {}", object.title()))
    });
    let mut deployed = deployed.collect::<Result<Vec<_>>>()?;
    deployed.sort_by_key(|deployed| deployed.stage);
    let stages: Vec<_> = deployed.iter().map(|deployed| deployed.stage).collect();
    ensure!(stages == Stage::ALL, "{folder}: not every stage scales once: {stages:?}");
    Ok(deployed)
}

fn of_pair(deployment: &Object, scaled: &Object) -> Result<Deployed> {
    let name = deployment.variable("FACEREEL__SERVICE__STAGES");
    let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
    let image = deployment.text("/spec/template/spec/containers/0/image");
    let program = image.split(['@', ':']).next().and_then(|path| path.rsplit('/').next());
    let service = SERVICES.into_iter().find(|service| Some(*service) == program);
    Ok(Deployed {
        stage: stage.with_context(|| format!("its Deployment works on '{name}'"))?,
        service: service.with_context(|| format!("there is no service in '{image}'"))?,
        cores: cores(deployment.text("/spec/template/spec/containers/0/resources/limits/cpu"))?,
        grace: seconds(deployment, "/spec/template/spec/terminationGracePeriodSeconds")?,
        rules: rules(scaled)?,
    })
}

fn rules(scaled: &Object) -> Result<Rules> {
    let number = |key: &str| {
        let number = scaled.at(key).as_u64().and_then(|number| u32::try_from(number).ok());
        number.with_context(|| format!("no number at {key}"))
    };
    let behavior = |direction: &str| {
        let place = format!("/spec/advanced/horizontalPodAutoscalerConfig/behavior/{direction}");
        Behavior::deserialize(scaled.at(&place)).with_context(|| format!("at {place}"))
    };
    Ok(Rules {
        min: number("/spec/minReplicaCount")?,
        max: number("/spec/maxReplicaCount")?,
        polling: seconds(scaled, "/spec/pollingInterval")?,
        cooldown: seconds(scaled, "/spec/cooldownPeriod")?,
        triggers: scaled.list("/spec/triggers").iter().map(trigger).collect::<Result<_>>()?,
        up: behavior("scaleUp")?,
        down: behavior("scaleDown")?,
    })
}

fn trigger(trigger: &Value) -> Result<Trigger> {
    let metadata = &trigger["metadata"];
    // Over AMQP jobs that workers hold would not count.
    if metadata["protocol"] != "http" || metadata["mode"] != "QueueLength" {
        bail!("only lengths of queues over http are known here: {metadata}");
    }
    let text = |key: &str| metadata[key].as_str().with_context(|| format!("a trigger without {key}"));
    Ok(Trigger { queue: text("queueName")?.to_owned(), jobs: text("value")?.parse()? })
}

fn seconds(object: &Object, pointer: &str) -> Result<Duration> {
    let seconds = object.at(pointer).as_u64().with_context(|| format!("no seconds at {pointer}"))?;
    Ok(Duration::from_secs(seconds))
}

/// `2` or `500m`.
fn cores(text: &str) -> Result<f64> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(thousandths) => (thousandths, 0.001),
        None => (text, 1.0),
    };
    let number: f64 = number.parse().with_context(|| format!("'{text}' is no number of cores"))?;
    Ok(number * unit)
}
