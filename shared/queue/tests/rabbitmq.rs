//! The RabbitMQ queue on a real broker: the suite that all queues pass, and what is its own.

mod broker;

use std::time::Duration;

use facereel_queue::conformance::Outcome;
use facereel_queue::rabbitmq::topology;
use facereel_queue::{Headers, Message, QueueErrorKind, RabbitQueue};
use facereel_test_servers::Rabbit;

use self::broker::{DETECT, fresh, message, next, publish_foreign, text};

facereel_queue::queue_conformance!(async { fresh().await.1 });

#[tokio::test]
async fn bytes_that_are_no_job_arrive_as_they_are() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let garbage = [0xff, 0, 0xc1, 0x80];
    publish_foreign(&url, &DETECT.to_string(), &garbage).await?;
    let delivery = next(&mut consumer).await?;
    assert_eq!(delivery.message.body(), garbage);
    assert_eq!(delivery.message.headers, Headers::default());
    Ok(delivery.ack().await?)
}

#[tokio::test]
async fn a_message_over_the_limit_goes_to_the_dead_letters_unread() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    publish_foreign(&url, &DETECT.to_string(), &vec![1; Message::MAX_BODY_BYTES + 1]).await?;
    queue.publish(&DETECT, message("fits")).await?;
    let delivery = next(&mut consumer).await?;
    assert_eq!(text(&delivery), "fits");
    delivery.ack().await?;
    let letters = broker::dead_letters(&queue, 1).await?;
    assert_eq!(letters[0].queue, DETECT);
    assert!(letters[0].reason.contains("1048577 bytes"), "{}", letters[0].reason);
    Ok(())
}

#[tokio::test]
async fn a_message_that_kills_its_workers_ends_in_the_dead_letters() -> Outcome {
    let (_, queue) = fresh().await;
    queue.publish(&DETECT, message("poison")).await?;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    for _ in 0..=topology::DELIVERY_LIMIT {
        drop(next(&mut consumer).await?);
    }
    queue.publish(&DETECT, message("good")).await?;
    let good = next(&mut consumer).await?;
    assert_eq!(text(&good), "good");
    let letters = broker::dead_letters(&queue, 1).await?;
    assert_eq!((letters[0].queue, letters[0].message.body()), (DETECT, &b"poison"[..]));
    assert!(letters[0].reason.contains("delivered 11 times"), "{}", letters[0].reason);
    assert!(letters[0].message.headers.first_seen_unix_ms.is_some());
    Ok(good.ack().await?)
}

#[tokio::test]
async fn a_short_delay_does_not_wait_behind_a_long_one() -> Outcome {
    let (_, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    for (body, delay) in [("long", Duration::from_mins(10)), ("short", Duration::from_millis(50))] {
        queue.publish(&DETECT, message(body)).await?;
        next(&mut consumer).await?.retry(delay, "the store was away").await?;
    }
    let again = next(&mut consumer).await?;
    assert_eq!((text(&again).as_str(), again.message.headers.attempt), ("short", 2));
    assert_eq!(queue.depth(&DETECT).await?.delayed, 1);
    Ok(again.ack().await?)
}

#[tokio::test]
async fn connections_closed_by_the_operator_come_back_with_their_prefetch() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 3).await?;
    queue.publish(&DETECT, message("held")).await?;
    let held = next(&mut consumer).await?;
    let vhost = broker::vhost_of(&url);
    broker::blocking({
        let vhost = vhost.clone();
        move || Rabbit::shared()?.ctl(&["close_all_connections", "--vhost", &vhost, "maintenance"])
    })
    .await?;
    let again = next(&mut consumer).await?;
    assert!(again.redelivered, "what was held is handed out again");
    assert!(held.ack().await.is_err(), "a verdict on a lost connection is not accepted");
    queue.publish(&DETECT, message("new")).await?;
    let new = next(&mut consumer).await?;
    assert_eq!(text(&new), "new");
    let columns = ["list_consumers", "-p", &vhost, "--no-table-headers", "queue_name", "prefetch_count"]
        .map(str::to_owned);
    let listed =
        broker::blocking(move || Rabbit::shared()?.ctl(&columns.each_ref().map(String::as_str))).await?;
    let lines: Vec<_> = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines, [[DETECT.to_string().as_str(), "3"]]);
    again.ack().await?;
    Ok(new.ack().await?)
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_a_readable_refusal() -> Outcome {
    let (url, queue) = fresh().await;
    broker::declare_foreign(&url, &DETECT.to_string()).await?;
    for error in [
        queue.publish(&DETECT, message("job")).await.expect_err("other arguments"),
        queue.consume(&[DETECT], 1).await.err().expect("other arguments"),
    ] {
        assert_eq!(error.kind(), QueueErrorKind::Refused);
        let text = error.to_string();
        assert!(text.contains("facereel.detect.interactive") && text.contains("other arguments"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn wrong_credentials_are_refused_and_never_shown() -> Outcome {
    let (url, _) = fresh().await;
    let error = RabbitQueue::open(&url.replace("guest:guest", "guest:hunter2")).await.err().expect("wrong");
    assert_eq!(error.kind(), QueueErrorKind::Refused);
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_a_passing_failure() {
    // Port 1 of loopback: nobody listens.
    let error = RabbitQueue::open("amqp://guest:guest@127.0.0.1:1/").await.err().expect("nobody");
    assert_eq!(error.kind(), QueueErrorKind::Unavailable);
}
