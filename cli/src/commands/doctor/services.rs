//! What the services and an operator need: a broker that holds the queues as they must be, and a bucket that keeps
//! commits safe.

use std::sync::Arc;

use facereel_domain::pipeline::Stage;
use facereel_domain::settings::Settings;
use facereel_queue::rabbitmq::inspect::DEFAULT_CONSUMER_TIMEOUT;
use facereel_queue::{BrokerReport, QueueName, QueueReport, QueueStanding, inspect};
use facereel_store::{ConditionalWrites, Store, probe};

use super::{Finding, Health};

/// What is wrong where the broker can't be used.
pub(super) const BROKER: &str = "broker";
/// What is wrong where the bucket can't be used.
pub(super) const BUCKET: &str = "bucket";

/// The oldest RabbitMQ whose quorum queues do what is needed.
const OLDEST_VERSION: [u32; 2] = [3, 10];
/// Where dead letters lie.
const DEAD_LETTERS: &str = facereel_queue::name::DEAD_LETTERS;

/// The broker that the settings name.
pub(super) async fn broker(settings: &Settings) -> Vec<Finding> {
    let report = match inspect(&settings.runtime.queue, "facereel doctor").await {
        Ok(report) => report,
        Err(error) => {
            let detail = format!("{:#}", anyhow::Error::from(error));
            return vec![Finding::new(Health::Fail, BROKER, detail)];
        }
    };
    let mut findings = vec![version(&report), queues(&report.queues)];
    findings.extend(report.queues.iter().filter_map(refused));
    findings.push(dead_letters(&report.queues));
    findings.push(workers(&report.queues));
    findings.push(time_limits(settings));
    findings
}

fn version(report: &BrokerReport) -> Finding {
    let detail = format!("{} {}, {}", report.product, report.version, report.place);
    let mut numbers = report.version.split('.').map_while(|part| part.parse::<u32>().ok());
    let is_old = [numbers.next(), numbers.next()].map(Option::unwrap_or_default) < OLDEST_VERSION;
    if is_old {
        return Finding::new(Health::Fail, BROKER, detail + ": RabbitMQ 3.10 or later is needed");
    }
    Finding::new(Health::Ok, BROKER, detail)
}

fn queues(queues: &[QueueReport]) -> Finding {
    let count =
        |is_so: fn(&QueueStanding) -> bool| queues.iter().filter(|queue| is_so(&queue.standing)).count();
    let good = count(|standing| matches!(standing, QueueStanding::AsWanted { .. }));
    let missing = count(|standing| *standing == QueueStanding::Missing);
    let there =
        format!("{good} of {} are there with the right arguments and dead-letter exchange", queues.len());
    let detail = match missing {
        0 => there,
        _ => format!("{there}; {missing} are made by whoever needs them first"),
    };
    Finding::new(Health::Ok, "queues", detail)
}

fn refused(queue: &QueueReport) -> Option<Finding> {
    let QueueStanding::Refused { explanation } = &queue.standing else { return None };
    let detail = format!(
        "{} is not as it must be: {explanation}; arguments can't be changed: let it run empty, delete it, start again",
        queue.name
    );
    Some(Finding::new(Health::Fail, BROKER, detail))
}

fn dead_letters(queues: &[QueueReport]) -> Finding {
    match ready(queues, DEAD_LETTERS) {
        Some(count @ 1..) => {
            let detail = format!("{count} jobs were given up: `facereel dead list` tells why");
            Finding::new(Health::Warn, "dead letters", detail)
        }
        _ => Finding::new(Health::Ok, "dead letters", "none"),
    }
}

fn ready(queues: &[QueueReport], name: &str) -> Option<u64> {
    queues.iter().find(|queue| queue.name == name).and_then(|queue| match queue.standing {
        QueueStanding::AsWanted { ready, .. } => Some(ready),
        _ => None,
    })
}

/// Whether somebody takes the jobs of every stage.
fn workers(queues: &[QueueReport]) -> Finding {
    let consumers = |name: QueueName| {
        let queue = queues.iter().find(|queue| queue.name == name.to_string());
        queue.map_or(0, |queue| match queue.standing {
            QueueStanding::AsWanted { consumers, .. } => consumers,
            _ => 0,
        })
    };
    let of_stage = |stage: Stage| QueueName::lanes_of(stage).map(consumers).into_iter().max().unwrap_or(0);
    let counts: Vec<_> = Stage::ALL.map(|stage| format!("{stage} {}", of_stage(stage))).into();
    let detail = counts.join(", ");
    let idle: Vec<_> =
        Stage::ALL.into_iter().filter(|stage| of_stage(*stage) == 0).map(Stage::as_str).collect();
    if idle.is_empty() {
        return Finding::new(Health::Ok, "workers", detail);
    }
    let advice = format!("{detail}; nobody takes jobs of {}: are all services running?", idle.join(", "));
    Finding::new(Health::Warn, "workers", advice)
}

/// A job is a segment at most: its time limit must be enough for one, and the broker must wait longer still.
fn time_limits(settings: &Settings) -> Finding {
    let (segment_sec, limit_sec) =
        (settings.pipeline.detect.segment_sec, settings.runtime.service.job_timeout_sec);
    let patience_sec = DEFAULT_CONSUMER_TIMEOUT.as_secs_f64();
    let what = "time limits";
    let detail = format!(
        "{segment_sec:.0} s of video a job (detect.segment_sec), {limit_sec:.0} s for it (service.job_timeout_sec)"
    );
    if limit_sec < 2.0 * segment_sec {
        let advice = ": a worker at half the video's speed fails it; shorter segments, or more time";
        return Finding::new(Health::Warn, what, detail + advice);
    }
    // One job at work, and one that waits for its slot behind it.
    if 2.0 * limit_sec > patience_sec {
        let advice = format!(
            ": the broker takes messages away after {patience_sec:.0} s unless its consumer_timeout is longer"
        );
        return Finding::new(Health::Warn, what, detail + &advice);
    }
    Finding::new(Health::Ok, what, detail)
}

/// The bucket that the settings name, tried with objects of its own.
pub(super) async fn bucket(store: &Arc<dyn Store>) -> Finding {
    let fail = |detail: String| Finding::new(Health::Fail, BUCKET, detail);
    match probe(store.as_ref()).await {
        Err(error) => fail(format!("{:#}", anyhow::Error::from(error))),
        Ok(probed) => match probed.conditional_writes {
            ConditionalWrites::Honoured => {
                let ms = probed.round_trip.as_secs_f64() * 1e3;
                let detail = format!("{}, conditional writes work, {ms:.1} ms a request", store.url());
                Finding::new(Health::Ok, BUCKET, detail)
            }
            ConditionalWrites::Ignored => fail(format!(
                "{} overwrites objects in spite of If-None-Match: two workers could commit one run; use a server that \
                 knows conditional writes",
                store.url()
            )),
            ConditionalWrites::Refused(words) => {
                fail(format!("{} refuses conditional writes, which the commit needs: {words}", store.url()))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_store::MemoryStore;

    fn report(version: &str) -> BrokerReport {
        BrokerReport {
            place: "here".to_owned(),
            product: "RabbitMQ".to_owned(),
            version: version.to_owned(),
            cluster_name: String::new(),
            queues: Vec::new(),
        }
    }

    fn queue(name: &str, standing: QueueStanding) -> QueueReport {
        QueueReport { name: name.to_owned(), standing }
    }

    #[test]
    fn brokers_without_good_quorum_queues_are_refused() {
        let healths = ["3.9.29", "3.10.8", "4.0.0", "4.1.0-rc.1"].map(|v| version(&report(v)).health);
        assert_eq!(healths, [Health::Fail, Health::Ok, Health::Ok, Health::Ok]);
    }

    #[test]
    fn stages_without_workers_are_named() {
        let at_work = QueueStanding::AsWanted { ready: 0, consumers: 2 };
        let some = [queue("facereel.plan.interactive", at_work.clone())];
        let finding = workers(&some);
        assert_eq!(finding.health, Health::Warn);
        assert!(finding.detail.contains("plan 2, detect 0"), "{finding:?}");
        assert!(finding.detail.contains("nobody takes jobs of detect, track, embed, export"), "{finding:?}");
        let all: Vec<_> = QueueName::all().map(|name| queue(&name.to_string(), at_work.clone())).collect();
        assert_eq!(workers(&all).health, Health::Ok);
    }

    #[test]
    fn dead_letters_and_wrong_arguments_are_told() {
        let waiting = QueueStanding::AsWanted { ready: 3, consumers: 0 };
        assert!(dead_letters(&[queue(DEAD_LETTERS, waiting)]).detail.starts_with("3 jobs were given up"));
        let wrong = QueueStanding::Refused { explanation: "inequivalent arg 'x-queue-type'".to_owned() };
        let finding = refused(&queue("facereel.plan.interactive", wrong)).unwrap();
        assert!(
            finding.detail.contains("x-queue-type") && finding.detail.contains("delete it"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_job_must_have_time_for_its_segment_and_the_broker_more() {
        let health = |segment_sec, limit_sec| {
            let mut settings = Settings::default();
            settings.pipeline.detect.segment_sec = segment_sec;
            settings.runtime.service.job_timeout_sec = limit_sec;
            time_limits(&settings).health
        };
        assert_eq!(
            [health(60.0, 900.0), health(60.0, 100.0), health(60.0, 1000.0)],
            [Health::Ok, Health::Warn, Health::Warn]
        );
    }

    #[tokio::test]
    async fn a_store_that_keeps_commits_safe_is_fine() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let finding = bucket(&store).await;
        assert_eq!(finding.health, Health::Ok);
        assert!(finding.detail.contains("conditional writes work"), "{finding:?}");
    }
}
