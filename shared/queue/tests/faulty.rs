//! The fault decorator: transparent without faults, and each fault as announced.

use std::future::ready;
use std::num::NonZeroUsize;
use std::sync::Arc;

use facereel_domain::pipeline::{Lane, Stage};
use facereel_queue::conformance::Outcome;
use facereel_queue::faulty::{Occurrence, QueueFault};
use facereel_queue::{FaultyQueue, InProcessQueue, Message, Queue, QueueErrorKind, QueueName};

const DETECT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };

fn with_faults(faults: Vec<(QueueFault, Occurrence)>) -> Arc<dyn Queue> {
    Arc::new(FaultyQueue::new(Arc::new(InProcessQueue::default()), faults))
}

facereel_queue::queue_conformance!(ready(with_faults(vec![])));

/// Publishes 1 to 4, and returns what failed and what arrived, in order.
async fn four_messages(
    queue: Arc<dyn Queue>,
) -> Result<(Vec<QueueErrorKind>, Vec<u8>), Box<dyn std::error::Error + Send + Sync>> {
    let mut failures = Vec::new();
    for number in 1..=4 {
        failures.extend(queue.publish(&DETECT, Message::new(vec![number])?).await.err().map(|e| e.kind()));
    }
    let waiting = queue.depth(&DETECT).await?.ready;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let mut arrived = Vec::new();
    for _ in 0..waiting {
        let delivery = consumer.next().await?.ok_or("ended")?;
        arrived.push(delivery.message.body()[0]);
        delivery.ack().await?;
    }
    Ok((failures, arrived))
}

#[tokio::test]
async fn a_refused_message_does_not_arrive() -> Outcome {
    let queue = with_faults(vec![(QueueFault::Refuse, Occurrence::Nth(2))]);
    assert_eq!(four_messages(queue).await?, (vec![QueueErrorKind::Unavailable], vec![1, 3, 4]));
    Ok(())
}

#[tokio::test]
async fn a_message_without_confirmation_arrives_all_the_same() -> Outcome {
    let queue = with_faults(vec![(QueueFault::LoseConfirmation, Occurrence::Nth(2))]);
    assert_eq!(four_messages(queue).await?, (vec![QueueErrorKind::Unconfirmed], vec![1, 2, 3, 4]));
    Ok(())
}

#[tokio::test]
async fn every_second_message_arrives_twice() -> Outcome {
    let two = NonZeroUsize::new(2).ok_or("zero")?;
    let queue = with_faults(vec![(QueueFault::Duplicate, Occurrence::Every(two))]);
    assert_eq!(four_messages(queue).await?, (vec![], vec![1, 2, 2, 3, 4, 4]));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_reordered_message_is_overtaken_by_one_and_the_last_by_none() -> Outcome {
    let faults = vec![(QueueFault::Reorder, Occurrence::Nth(2)), (QueueFault::Reorder, Occurrence::Nth(4))];
    assert_eq!(four_messages(with_faults(faults)).await?, (vec![], vec![1, 3, 2, 4]));
    Ok(())
}
