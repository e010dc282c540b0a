//! The promises of the crate as checks, one function each, for every implementation alike.
//!
//! [`queue_conformance!`](crate::queue_conformance) makes a test of each. A check gets a fresh queue of its own.
//! Checks that something does *not* happen look for [`QUIET`]; all else ends as soon as it happened.

#![allow(clippy::missing_panics_doc, reason = "a broken promise panics like any failed test")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use facereel_domain::pipeline::{Lane, Stage};
use tokio::time::timeout;

use crate::message::{Headers, Message};
use crate::name::QueueName;
use crate::seam::{Consumer, DeadLetterVerdict, Delivery, Queue};

/// How a check ends.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// How long nothing may come for a check to believe that nothing comes.
pub const QUIET: Duration = Duration::from_millis(100);
/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_secs(10);

const URGENT: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };
const LATER: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Backfill };

/// Makes one test of each promise. `$open` is called for each test and gives a future of an `Arc<dyn Queue>`.
#[macro_export]
macro_rules! queue_conformance {
    ($open:expr) => {
        $crate::queue_conformance! { $open =>
            messages_arrive_with_body_and_headers,
            bodies_up_to_the_limit_travel,
            acknowledged_messages_never_come_back,
            deliveries_without_verdict_come_back_marked,
            retried_messages_come_back_after_the_delay_as_the_next_attempt,
            released_messages_come_back_at_once_as_they_were,
            dead_letters_are_kept_until_replayed_or_discarded,
            prefetch_limits_deliveries_without_verdict,
            earlier_queues_are_served_first,
            one_consumer_gets_messages_in_order,
            every_message_goes_to_one_of_many_consumers,
            a_cancelled_wait_takes_no_message_with_it,
            deliveries_outlive_their_consumer,
            depth_counts_what_waits,
            a_purge_removes_what_waits_and_leaves_what_is_held,
            many_dead_letters_are_settled_at_once_and_unknown_ones_are_told,
            a_queue_that_works_says_so,
            a_closed_queue_takes_and_gives_nothing,
        }
    };
    ($open:expr => $($check:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $check() -> $crate::conformance::Outcome {
            $crate::conformance::$check($open.await).await
        })*
    };
}

fn message(text: &str) -> Result<Message, Box<dyn Error + Send + Sync>> {
    Ok(Message::new(text.as_bytes().to_vec())?)
}

async fn publish<T: AsRef<str>>(queue: &Arc<dyn Queue>, name: &QueueName, texts: &[T]) -> Outcome {
    for text in texts {
        queue.publish(name, message(text.as_ref())?).await?;
    }
    Ok(())
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Result<Delivery, Box<dyn Error + Send + Sync>> {
    Ok(timeout(PATIENCE, consumer.next()).await??.ok_or("the queue ended")?)
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(delivery.message.body()).into_owned()
}

async fn assert_quiet(consumer: &mut Box<dyn Consumer>) {
    if let Ok(surprise) = timeout(QUIET, consumer.next()).await {
        panic!("nothing was to come, but there is {surprise:?}");
    }
}

/// Promises 1 and 10.
pub async fn messages_arrive_with_body_and_headers(queue: Arc<dyn Queue>) -> Outcome {
    let mut sent = message("job")?;
    sent.headers.trace_context = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    queue.publish(&URGENT, sent.clone()).await?;
    let stamped = Headers { attempt: 3, first_seen_unix_ms: Some(1_700_000_000_123), trace_context: None };
    queue.publish(&URGENT, message("again")?.with_headers(stamped.clone())).await?;

    let mut consumer = queue.consume(&[URGENT], 1).await?;
    let first = next(&mut consumer).await?;
    assert_eq!((first.message.body(), first.queue, first.redelivered), (&b"job"[..], URGENT, false));
    assert_eq!((first.message.headers.attempt, &first.message.headers.trace_context), {
        (1, &sent.headers.trace_context)
    });
    assert!(first.message.headers.first_seen_unix_ms.is_some(), "the queue did not set the time");
    first.ack().await?;
    let second = next(&mut consumer).await?;
    assert_eq!(second.message.headers, stamped);
    Ok(second.ack().await?)
}

/// Promise 1, at the edge.
pub async fn bodies_up_to_the_limit_travel(queue: Arc<dyn Queue>) -> Outcome {
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    for len in [0, Message::MAX_BODY_BYTES] {
        queue.publish(&URGENT, Message::new(vec![0xa5; len])?).await?;
        let delivery = next(&mut consumer).await?;
        assert_eq!(delivery.message.body().len(), len);
        delivery.ack().await?;
    }
    Ok(())
}

/// Promise 3.
pub async fn acknowledged_messages_never_come_back(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["job"]).await?;
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    next(&mut consumer).await?.ack().await?;
    assert_quiet(&mut consumer).await;
    consumer.close().await?;
    assert_quiet(&mut queue.consume(&[URGENT], 1).await?).await;
    Ok(())
}

/// Promise 2.
pub async fn deliveries_without_verdict_come_back_marked(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["job"]).await?;
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    let first = next(&mut consumer).await?;
    assert!(!first.redelivered);
    let seen = first.message.clone();
    drop(first);
    let again = next(&mut consumer).await?;
    assert!(again.redelivered, "it is not marked");
    assert_eq!(again.message, seen);
    Ok(again.ack().await?)
}

/// Promise 4.
pub async fn retried_messages_come_back_after_the_delay_as_the_next_attempt(
    queue: Arc<dyn Queue>,
) -> Outcome {
    publish(&queue, &URGENT, &["fails", "works"]).await?;
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    let first = next(&mut consumer).await?;
    let seen = first.message.clone();
    let started = Instant::now();
    let delay = Duration::from_millis(150);
    first.retry(delay, "the store was away").await?;
    let other = next(&mut consumer).await?;
    assert_eq!(text(&other), "works", "a retry holds nobody up");
    other.ack().await?;
    let again = next(&mut consumer).await?;
    assert!(started.elapsed() >= delay, "back after {:?}", started.elapsed());
    assert_eq!(again.message.body(), b"fails");
    assert_eq!(again.message.headers, Headers { attempt: 2, ..seen.headers });
    Ok(again.ack().await?)
}

/// Promise 5.
pub async fn released_messages_come_back_at_once_as_they_were(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["job"]).await?;
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    let first = next(&mut consumer).await?;
    let seen = first.message.clone();
    first.release().await?;
    let again = next(&mut consumer).await?;
    assert_eq!(again.message, seen);
    Ok(again.ack().await?)
}

/// Promise 6.
pub async fn dead_letters_are_kept_until_replayed_or_discarded(queue: Arc<dyn Queue>) -> Outcome {
    let mut consumer = queue.consume(&[URGENT, LATER], 2).await?;
    for (name, body) in [(&URGENT, "curable"), (&LATER, "hopeless")] {
        let headers = Headers { attempt: 4, ..Headers::default() };
        queue.publish(name, message(body)?.with_headers(headers)).await?;
        next(&mut consumer).await?.dead_letter(&format!("{body}: moov atom is missing")).await?;
    }
    let letters = queue.dead_letters(10).await?;
    let shown: Vec<_> = letters.iter().map(|l| (l.queue, l.reason.as_str(), l.message.body())).collect();
    assert_eq!(
        shown,
        [
            (URGENT, "curable: moov atom is missing", &b"curable"[..]),
            (LATER, "hopeless: moov atom is missing", &b"hopeless"[..]),
        ]
    );
    assert_eq!(letters[0].message.headers.attempt, 4);
    assert_eq!(queue.dead_letters(1).await?, letters[..1]);

    assert!(queue.settle_dead_letter(&letters[0].id, DeadLetterVerdict::Replay).await?);
    let replayed = next(&mut consumer).await?;
    assert_eq!((text(&replayed).as_str(), replayed.message.headers.attempt), ("curable", 1));
    assert_eq!(
        replayed.message.headers.first_seen_unix_ms, letters[0].message.headers.first_seen_unix_ms,
        "the age of a job survives"
    );
    replayed.ack().await?;
    assert!(queue.settle_dead_letter(&letters[1].id, DeadLetterVerdict::Discard).await?);
    assert!(!queue.settle_dead_letter(&letters[1].id, DeadLetterVerdict::Replay).await?);
    assert_eq!(queue.dead_letters(10).await?, []);
    assert_quiet(&mut consumer).await;
    Ok(())
}

/// Promise 7.
pub async fn prefetch_limits_deliveries_without_verdict(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["a", "b"]).await?;
    publish(&queue, &LATER, &["c", "d"]).await?;
    let mut consumer = queue.consume(&[URGENT, LATER], 2).await?;
    let first = next(&mut consumer).await?;
    let second = next(&mut consumer).await?;
    assert_quiet(&mut consumer).await;
    first.ack().await?;
    let third = next(&mut consumer).await?;
    assert_quiet(&mut consumer).await;
    drop(second);
    let fourth = next(&mut consumer).await?;
    third.ack().await?;
    Ok(fourth.ack().await?)
}

/// Promise 8.
pub async fn earlier_queues_are_served_first(queue: Arc<dyn Queue>) -> Outcome {
    let prefetch = 1;
    publish(&queue, &LATER, &["later"; 5]).await?;
    publish(&queue, &URGENT, &["urgent"; 5]).await?;
    let mut consumer = queue.consume(&[URGENT, LATER], prefetch).await?;
    let mut order = Vec::new();
    for _ in 0..10 {
        let delivery = next(&mut consumer).await?;
        order.push(delivery.queue);
        delivery.ack().await?;
    }
    let last_urgent = order.iter().rposition(|name| *name == URGENT).ok_or("nothing urgent came")?;
    let overtook = order[..last_urgent].iter().filter(|name| **name == LATER).count();
    assert!(overtook <= prefetch, "{order:?}");
    Ok(())
}

/// Promise 9.
pub async fn one_consumer_gets_messages_in_order(queue: Arc<dyn Queue>) -> Outcome {
    let texts: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    publish(&queue, &URGENT, &texts).await?;
    let mut consumer = queue.consume(&[URGENT], 4).await?;
    for expected in &texts {
        let delivery = next(&mut consumer).await?;
        assert_eq!(&text(&delivery), expected);
        delivery.ack().await?;
    }
    Ok(())
}

/// Promise 2, with competitors.
pub async fn every_message_goes_to_one_of_many_consumers(queue: Arc<dyn Queue>) -> Outcome {
    let texts: Vec<String> = (0..30).map(|i| format!("{i:02}")).collect();
    publish(&queue, &URGENT, &texts).await?;
    let mut left = queue.consume(&[URGENT], 1).await?;
    let mut right = queue.consume(&[URGENT], 1).await?;
    let mut seen = Vec::new();
    while seen.len() < texts.len() {
        let delivery = timeout(PATIENCE, async {
            tokio::select! {
                delivery = left.next() => delivery,
                delivery = right.next() => delivery,
            }
        });
        let delivery = delivery.await??.ok_or("the queue ended")?;
        seen.push(text(&delivery));
        delivery.ack().await?;
    }
    seen.sort_unstable();
    assert_eq!(seen, texts);
    assert_quiet(&mut left).await;
    Ok(())
}

/// Promise 11.
pub async fn a_cancelled_wait_takes_no_message_with_it(queue: Arc<dyn Queue>) -> Outcome {
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    for i in 0..20 {
        let body = i.to_string();
        let published = publish(&queue, &URGENT, std::slice::from_ref(&body));
        let delivery = tokio::select! {
            biased;
            delivery = next(&mut consumer) => delivery?,
            published = published => {
                published?;
                next(&mut consumer).await?
            }
        };
        assert_eq!((text(&delivery), delivery.redelivered), (body, false));
        delivery.ack().await?;
    }
    Ok(())
}

/// Promise 2, at the end of a worker: it stops taking first and finishes what it has.
pub async fn deliveries_outlive_their_consumer(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["done", "not begun"]).await?;
    let mut consumer = queue.consume(&[URGENT], 2).await?;
    let done = next(&mut consumer).await?;
    let not_begun = next(&mut consumer).await?;
    consumer.close().await?;
    done.ack().await?;
    not_begun.release().await?;
    let mut successor = queue.consume(&[URGENT], 2).await?;
    let taken_over = next(&mut successor).await?;
    assert_eq!(text(&taken_over), "not begun");
    assert_quiet(&mut successor).await;
    Ok(taken_over.ack().await?)
}

/// What the planner's high-water mark and `status` rely on.
pub async fn depth_counts_what_waits(queue: Arc<dyn Queue>) -> Outcome {
    assert_eq!(queue.depth(&URGENT).await?.ready, 0);
    publish(&queue, &URGENT, &["a", "b", "c"]).await?;
    assert_eq!(queue.depth(&URGENT).await?.ready, 3);
    assert_eq!(queue.depth(&LATER).await?.ready, 0);
    assert_eq!(queue.depth(&URGENT).await?.consumers, 0);
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    let held = next(&mut consumer).await?;
    let depth = queue.depth(&URGENT).await?;
    assert_eq!((depth.ready, depth.unacknowledged.unwrap_or(1), depth.consumers), (2, 1, 1));
    held.retry(PATIENCE * 6, "not now").await?;
    let depth = queue.depth(&URGENT).await?;
    assert_eq!(depth.delayed, 1);
    assert!(depth.ready <= 2);
    Ok(())
}

/// What an operator relies on who empties a queue.
pub async fn a_purge_removes_what_waits_and_leaves_what_is_held(queue: Arc<dyn Queue>) -> Outcome {
    assert_eq!(queue.purge(&URGENT).await?, 0, "nobody used it yet");
    publish(&queue, &URGENT, &["late", "held", "a", "b"]).await?;
    publish(&queue, &LATER, &["other"]).await?;
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    next(&mut consumer).await?.retry(PATIENCE * 6, "not now").await?;
    let held = next(&mut consumer).await?;
    assert_eq!(queue.purge(&URGENT).await?, 3);
    assert_eq!(queue.depth(&LATER).await?.ready, 1);
    held.release().await?;
    let again = next(&mut consumer).await?;
    assert_eq!(text(&again), "held");
    again.ack().await?;
    assert_quiet(&mut consumer).await;
    Ok(())
}

/// What an operator relies on who replays everything.
pub async fn many_dead_letters_are_settled_at_once_and_unknown_ones_are_told(
    queue: Arc<dyn Queue>,
) -> Outcome {
    let mut consumer = queue.consume(&[URGENT], 1).await?;
    for body in ["a", "b", "c"] {
        publish(&queue, &URGENT, &[body]).await?;
        next(&mut consumer).await?.dead_letter("no such object").await?;
    }
    let mut ids: Vec<_> = queue.dead_letters(2).await?.into_iter().map(|letter| letter.id).collect();
    let known = ids.clone();
    ids.extend(["no such letter".to_owned(), known[0].clone()]);
    assert_eq!(queue.settle_dead_letters(&ids, DeadLetterVerdict::Replay).await?, known);
    for expected in ["a", "b"] {
        let replayed = next(&mut consumer).await?;
        assert_eq!(text(&replayed), expected);
        replayed.ack().await?;
    }
    let left = queue.dead_letters(10).await?;
    assert_eq!(left.iter().map(|letter| letter.message.body()).collect::<Vec<_>>(), [b"c"]);
    Ok(())
}

/// What readiness relies on.
pub async fn a_queue_that_works_says_so(queue: Arc<dyn Queue>) -> Outcome {
    publish(&queue, &URGENT, &["job"]).await?;
    assert!(queue.health().borrow().is_ready());
    Ok(())
}

/// Promise 12.
pub async fn a_closed_queue_takes_and_gives_nothing(queue: Arc<dyn Queue>) -> Outcome {
    let mut waiting = queue.consume(&[URGENT], 1).await?;
    let (ended, closed) = timeout(PATIENCE, async { tokio::join!(waiting.next(), queue.close()) }).await?;
    closed?;
    assert!(ended?.is_none(), "a waiting consumer was not told");
    assert!(queue.publish(&URGENT, message("late")?).await.is_err());
    Ok(())
}
