//! The RabbitMQ queue on a real broker: the suite that all queues pass, and what is its own.

mod broker;

use std::time::{Duration, Instant};

use facereel_queue::conformance::Outcome;
use facereel_queue::rabbitmq::topology;
use facereel_queue::{Headers, Message, Queue as _, QueueErrorKind, QueueStanding, RabbitQueue};
use facereel_test_servers::Rabbit;
use tokio::time::timeout;

use self::broker::deaf::DeafLine;
use self::broker::{DETECT, TRACK, fresh, message, next, publish_foreign, settings, text};

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
    delivery.dead_letter("not a job: expected a map").await?;
    let letters = broker::dead_letters(&queue, 1).await?;
    assert_eq!((letters[0].message.body(), letters[0].reason.as_str()), {
        (&garbage[..], "not a job: expected a map")
    });
    Ok(())
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
async fn a_queue_deleted_under_its_consumer_is_made_again() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[TRACK, DETECT], 1).await?;
    queue.publish(&TRACK, message("before")).await?;
    let held = next(&mut consumer).await?;
    let path = format!("queues/{}/{DETECT}", broker::vhost_of(&url));
    broker::blocking(move || Rabbit::shared()?.api("DELETE", &path)).await?;
    held.ack().await?;
    // Publisher and consumer notice at the same time that the queue is gone; each makes it or finds it made.
    let (published, delivery) = tokio::join!(queue.publish(&DETECT, message("after")), next(&mut consumer));
    published?;
    let delivery = delivery?;
    assert_eq!(text(&delivery), "after");
    Ok(delivery.ack().await?)
}

#[tokio::test]
async fn a_queue_that_somebody_deleted_and_made_again_is_consumed_again() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    queue.publish(&DETECT, message("before")).await?;
    next(&mut consumer).await?.ack().await?;
    broker::make_again(&url, &topology::jobs(DETECT)).await?;
    publish_foreign(&url, &DETECT.to_string(), b"after").await?;
    // Workers don't wait in one go: they look up often.
    let mut delivery = None;
    for _ in 0..100 {
        delivery = timeout(Duration::from_millis(300), consumer.next()).await.ok();
        if delivery.is_some() {
            break;
        }
    }
    let delivery = delivery.ok_or("it does not come")??.ok_or("the queue ended")?;
    assert_eq!(text(&delivery), "after");
    Ok(delivery.ack().await?)
}

#[tokio::test]
async fn a_broker_that_does_not_answer_any_more_is_connected_to_anew() -> Outcome {
    let url = broker::blocking(|| Rabbit::shared()?.new_vhost()).await?;
    let line = DeafLine::to(&url).await?;
    let queue = broker::open(&line.url).await?;
    queue.publish(&DETECT, message("heard")).await?;
    let before = Instant::now();
    line.lose_answers();
    queue.publish(&DETECT, message("unheard")).await?;
    broker::health(&queue, |health| health.is_ready() && health.since > before).await?;
    let mut consumer = broker::open(&url).await?.consume(&[DETECT], 9).await?;
    let mut arrived = Vec::new();
    for _ in 0..3 {
        let delivery = next(&mut consumer).await?;
        arrived.push(text(&delivery));
        delivery.ack().await?;
    }
    assert_eq!(arrived, ["heard", "unheard", "unheard"], "it is published again, as nobody knows");
    Ok(())
}

#[tokio::test]
async fn connections_closed_by_the_operator_come_back_with_their_prefetch() -> Outcome {
    let (url, queue) = fresh().await;
    let mut consumer = queue.consume(&[DETECT], 3).await?;
    queue.publish(&DETECT, message("held")).await?;
    let held = next(&mut consumer).await?;
    let before = Instant::now();
    let vhost = broker::vhost_of(&url);
    broker::blocking({
        let vhost = vhost.clone();
        move || Rabbit::shared()?.ctl(&["close_all_connections", "--vhost", &vhost, "maintenance"])
    })
    .await?;
    let again = next(&mut consumer).await?;
    assert!(again.redelivered, "what was held is handed out again");
    assert!(held.ack().await.is_err(), "a verdict on a lost connection is not accepted");
    broker::health(&queue, |health| health.is_ready() && health.since > before).await?;
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
    let settings = settings(&url.replace("guest:guest", "guest:hunter2"));
    let error = RabbitQueue::open(&settings, "test").await.err().expect("wrong");
    assert_eq!(error.kind(), QueueErrorKind::Refused);
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_a_passing_failure() {
    // Port 1 of loopback: nobody listens.
    let settings = settings("amqp://guest:guest@127.0.0.1:1/");
    let error = RabbitQueue::open(&settings, "test").await.err().expect("nobody");
    assert_eq!(error.kind(), QueueErrorKind::Unavailable);
}

#[tokio::test]
async fn with_tls_the_brokers_certificate_is_checked() -> Outcome {
    let (url, authority) = broker::blocking(|| {
        let rabbit = Rabbit::shared()?;
        Ok((rabbit.with_tls(&rabbit.new_vhost()?), rabbit.authority()))
    })
    .await?;
    let mut settings = settings(&url);
    let error = RabbitQueue::open(&settings, "test").await.err().expect("an unknown authority");
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");

    settings.ca_file = authority.display().to_string();
    let queue = facereel_queue::open(&settings, "test").await?;
    queue.publish(&DETECT, message("sealed")).await?;
    let mut consumer = queue.consume(&[DETECT], 1).await?;
    let delivery = next(&mut consumer).await?;
    assert_eq!(text(&delivery), "sealed");
    assert_eq!(facereel_queue::inspect(&settings, "test").await?.product, "RabbitMQ");
    Ok(delivery.ack().await?)
}

#[tokio::test]
async fn a_broker_with_our_definitions_needs_no_further_declarations() -> Outcome {
    let url = broker::blocking(|| Ok(Rabbit::shared()?.prepared_vhost())).await?;
    let report = facereel_queue::inspect(&settings(&url), "test").await?;
    assert!(report.is_usable());
    assert_eq!(report.queues.len(), topology::all().count());
    for queue in &report.queues {
        assert!(matches!(queue.standing, QueueStanding::AsWanted { .. }), "{queue:?}");
    }
    Ok(())
}

#[tokio::test]
async fn queues_that_are_not_there_can_be_looked_for_without_end() -> Outcome {
    let (url, _queue) = fresh().await;
    // A look at a queue that is not there costs the connection a channel: five of a queue and its delays.
    let queue = RabbitQueue::open(&settings(&format!("{url}?channel_max=16")), "test").await?;
    for round in 0..12 {
        let depth = queue.depth(&TRACK).await.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        assert_eq!((depth.ready, depth.delayed, depth.consumers), (0, 0, 0));
    }
    Ok(())
}

#[tokio::test]
async fn an_inspection_finds_missing_and_wrong_queues_and_makes_none() -> Outcome {
    let (url, queue) = fresh().await;
    assert_eq!(queue.depth(&TRACK).await?.ready, 0);
    broker::declare_foreign(&url, &DETECT.to_string()).await?;
    let report = facereel_queue::inspect(&settings(&url), "test").await?;
    assert!(report.version.split('.').count() >= 3, "{}", report.version);
    assert!(!report.is_usable());
    for queue in &report.queues {
        match &queue.standing {
            QueueStanding::Refused { explanation } => {
                assert_eq!(queue.name, DETECT.to_string());
                assert!(explanation.contains("x-"), "{explanation}");
            }
            other => assert_eq!(*other, QueueStanding::Missing, "{}", queue.name),
        }
    }
    Ok(())
}
