//! The in-process queue: the suite that all queues pass, and what is its own.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use facereel_domain::pipeline::{Lane, Stage};
use facereel_domain::settings::QueueSettings;
use facereel_queue::conformance::Outcome;
use facereel_queue::in_process::Bounds;
use facereel_queue::{InProcessQueue, Message, Queue, QueueName};
use tokio::task::yield_now;
use tokio::time::Instant;

async fn fresh() -> Arc<dyn Queue> {
    facereel_queue::open(&QueueSettings::default(), "test").await.expect("a queue in memory")
}

facereel_queue::queue_conformance!(fresh());

const DETECT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };
const TRACK: QueueName = QueueName { stage: Stage::Track, lane: Lane::Interactive };

fn bounded(capacity: usize) -> InProcessQueue {
    let capacity = NonZeroUsize::new(capacity).expect("a capacity");
    InProcessQueue::with_bounds(Bounds { capacity, patience: Duration::from_secs(1) })
}

fn message() -> Message {
    Message::new(&b"job"[..]).expect("a small body")
}

#[tokio::test(start_paused = true)]
async fn publish_waits_for_room_and_goes_on_when_there_is_some() -> Outcome {
    let queue = bounded(1);
    queue.publish(&DETECT, message()).await?;
    let second = tokio::spawn({
        let queue = queue.clone();
        async move { queue.publish(&DETECT, message()).await }
    });
    yield_now().await;
    let mut consumer = queue.consume(&[DETECT], 2).await?;
    let held = consumer.next().await?.ok_or("ended")?;
    yield_now().await;
    assert!(!second.is_finished(), "a message without verdict still takes up room");
    let started = Instant::now();
    held.ack().await?;
    second.await??;
    assert_eq!(started.elapsed(), Duration::ZERO, "room is noticed at once");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_publishes_more_than_fits_before_it_consumes_gets_through() -> Outcome {
    let queue = bounded(2);
    queue.publish(&DETECT, message()).await?;
    // One worker for both stages, one job at a time: nobody makes room while it publishes.
    let mut only_worker = queue.consume(&[TRACK, DETECT], 1).await?;
    let plan = only_worker.next().await?.ok_or("ended")?;
    let started = Instant::now();
    for _ in 0..5 {
        queue.publish(&TRACK, message()).await?;
    }
    assert_eq!(started.elapsed(), Duration::from_secs(3), "each message beyond the bound costs its patience");
    plan.ack().await?;
    for _ in 0..5 {
        only_worker.next().await?.ok_or("ended")?.ack().await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn retries_and_redeliveries_never_wait_for_room() -> Outcome {
    let queue = bounded(1);
    queue.publish(&DETECT, message()).await?;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let started = Instant::now();
    consumer.next().await?.ok_or("ended")?.release().await?;
    drop(consumer.next().await?);
    consumer.next().await?.ok_or("ended")?.retry(Duration::from_mins(1), "not now").await?;
    assert_eq!(started.elapsed(), Duration::ZERO);
    let again = consumer.next().await?.ok_or("ended")?;
    assert_eq!(started.elapsed().as_secs(), 60, "it comes exactly when it is due");
    assert_eq!(again.message.headers.attempt, 2);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn retries_come_due_in_the_order_of_their_delays() -> Outcome {
    let queue = bounded(9);
    let mut consumer = queue.consume(&[DETECT], 3).await?;
    for delay_sec in [3, 1, 2] {
        queue.publish(&DETECT, Message::new(vec![delay_sec])?).await?;
        let delivery = consumer.next().await?.ok_or("ended")?;
        delivery.retry(Duration::from_secs(delay_sec.into()), "later").await?;
    }
    for expected in [1, 2, 3] {
        let delivery = consumer.next().await?.ok_or("ended")?;
        assert_eq!(delivery.message.body(), [expected]);
        delivery.ack().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_panics_loses_no_message() -> Outcome {
    let queue = bounded(9);
    queue.publish(&DETECT, message()).await?;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let delivery = consumer.next().await?.ok_or("ended")?;
    let panicked = tokio::spawn(async move {
        let _held = delivery;
        panic!("a bug in a stage");
    });
    assert!(panicked.await.is_err());
    let again = consumer.next().await?.ok_or("ended")?;
    assert!(again.redelivered);
    Ok(())
}
