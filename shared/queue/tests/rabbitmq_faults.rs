//! The RabbitMQ queue on a broker that runs out of memory.

mod broker;

use std::sync::Arc;
use std::time::Duration;

use facereel_queue::Queue;
use facereel_queue::conformance::Outcome;
use facereel_test_servers::Rabbit;
use tokio::time::timeout;

use self::broker::{DETECT, blocking, message, next, show_logs, text};

#[tokio::test]
async fn in_a_memory_alarm_publishing_waits_and_acknowledging_goes_on() -> Outcome {
    show_logs();
    let rabbit = Arc::new(blocking(Rabbit::exclusive).await?);
    let queue = facereel_queue::open(&rabbit.new_vhost()?).await?;
    for body in ["first", "second"] {
        queue.publish(&DETECT, message(body)).await?;
    }
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let first = next(&mut consumer).await?;
    let set_watermark = |fraction: &'static str| {
        let rabbit = Arc::clone(&rabbit);
        blocking(move || rabbit.ctl(&["set_vm_memory_high_watermark", fraction]))
    };

    set_watermark("0.00001").await?;
    let mut publishing = tokio::spawn({
        let queue: Arc<dyn Queue> = Arc::clone(&queue);
        async move { queue.publish(&DETECT, message("third")).await }
    });
    assert!(timeout(Duration::from_millis(500), &mut publishing).await.is_err(), "it was taken in an alarm");
    first.ack().await?;
    let second = next(&mut consumer).await?;
    assert_eq!(text(&second), "second");
    second.ack().await?;
    assert_eq!(queue.depth(&DETECT).await?.ready, 0);
    assert!(!publishing.is_finished());

    set_watermark("0.4").await?;
    publishing.await??;
    let third = next(&mut consumer).await?;
    assert_eq!(text(&third), "third");
    Ok(third.ack().await?)
}
