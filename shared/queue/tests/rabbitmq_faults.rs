//! The RabbitMQ queue on a broker that goes away and comes back, and on one that runs out of memory.

mod broker;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use facereel_queue::conformance::Outcome;
use facereel_queue::{Consumer, Queue, QueueError, QueueHealth, QueueState};
use facereel_test_servers::Rabbit;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::broker::{DETECT, Failure, blocking, message, next, text};

/// Publishes one numbered message after the other until it is told to stop; returns all that were accepted.
fn publish_until(
    stop: &CancellationToken,
    queue: &Arc<dyn Queue>,
) -> JoinHandle<Result<BTreeSet<String>, QueueError>> {
    let (stop, queue) = (stop.clone(), Arc::clone(queue));
    tokio::spawn(async move {
        let mut accepted = BTreeSet::new();
        while !stop.is_cancelled() {
            let body = accepted.len().to_string();
            queue.publish(&DETECT, message(&body)).await?;
            accepted.insert(body);
        }
        Ok(accepted)
    })
}

/// Takes the next message as done, and notes it.
async fn receive(consumer: &mut Box<dyn Consumer>, arrived: &mut BTreeSet<String>) -> Result<(), Failure> {
    let delivery = next(consumer).await?;
    arrived.insert(text(&delivery));
    // A verdict gets lost with its connection; the message comes again.
    let _ = delivery.ack().await;
    Ok(())
}

#[tokio::test]
async fn a_broker_that_goes_away_and_comes_back_loses_nothing() -> Outcome {
    let rabbit = Arc::new(blocking(Rabbit::exclusive).await?);
    let queue = broker::open(&rabbit.new_vhost()?).await?;
    let mut consumer = queue.consume(&[DETECT], 4).await?;
    // The stop comes first: a broker that is killed half a second after a queue was made forgets the queue.
    let ends: [fn(&Rabbit) -> anyhow::Result<()>; 2] = [Rabbit::stop, Rabbit::kill];
    for end in ends {
        let (stop, mut arrived) = (CancellationToken::new(), BTreeSet::new());
        let publishing = publish_until(&stop, &queue);
        for _ in 0..20 {
            receive(&mut consumer, &mut arrived).await?;
        }
        let held = next(&mut consumer).await?;
        let away = Arc::clone(&rabbit);
        blocking(move || end(&away)).await?;
        broker::health(&queue, |health| matches!(health.state, QueueState::Reconnecting { .. })).await?;
        let back = Arc::clone(&rabbit);
        blocking(move || back.start()).await?;
        assert!(held.ack().await.is_err(), "its connection is gone");
        broker::health(&queue, QueueHealth::is_ready).await?;
        stop.cancel();
        let accepted = timeout(Duration::from_mins(1), publishing).await???;
        while !accepted.is_subset(&arrived) {
            receive(&mut consumer, &mut arrived).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn in_a_memory_alarm_intake_and_publishing_wait_and_verdicts_go_on() -> Outcome {
    let rabbit = Arc::new(blocking(Rabbit::exclusive).await?);
    let queue = broker::open(&rabbit.new_vhost()?).await?;
    for body in ["first", "second", "third"] {
        queue.publish(&DETECT, message(body)).await?;
    }
    let mut consumer = queue.consume(&[DETECT], 2).await?;
    let (first, second) = (next(&mut consumer).await?, next(&mut consumer).await?);
    let set_watermark = |fraction: &'static str| {
        let rabbit = Arc::clone(&rabbit);
        blocking(move || rabbit.ctl(&["set_vm_memory_high_watermark", fraction]))
    };

    set_watermark("0.00001").await?;
    let mut publishing = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.publish(&DETECT, message("fourth")).await }
    });
    let health = broker::health(&queue, |health| !health.is_ready()).await?;
    assert!(matches!(&health.state, QueueState::Blocked { reason } if !reason.is_empty()), "{health:?}");
    first.ack().await?;
    second.release().await?;
    let quiet = Duration::from_millis(500);
    assert!(timeout(quiet, consumer.next()).await.is_err(), "a job was handed out in an alarm");
    assert!(timeout(quiet, &mut publishing).await.is_err(), "a message was taken in an alarm");
    let depth = queue.depth(&DETECT).await?;
    assert_eq!(depth.consumers, 1);

    set_watermark("0.4").await?;
    publishing.await??;
    broker::health(&queue, QueueHealth::is_ready).await?;
    let mut rest = BTreeSet::new();
    for _ in 0..3 {
        let delivery = next(&mut consumer).await?;
        rest.insert(text(&delivery));
        delivery.ack().await?;
    }
    assert_eq!(rest, ["second", "third", "fourth"].map(str::to_owned).into());
    Ok(())
}
