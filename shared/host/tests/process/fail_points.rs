//! Killed at each step, a service loses nothing.

use std::os::unix::process::ExitStatusExt as _;

use crate::rig::{INPUT, OUTPUT, Surroundings};

#[tokio::test]
async fn a_job_whose_service_is_killed_comes_back_until_it_is_acknowledged() {
    let around = Surroundings::new().await;
    for point in ["before-write", "after-write", "before-publish", "after-publish", "before-acknowledge"] {
        around.submit("WRITE", None).await;
        let fail_point = format!("kill@{point}");
        let (status, said) = around.start_ready(&[("service.fail_point", &fail_point)]).end();
        assert_eq!(status.signal(), Some(9), "{point}: {said}");
        assert!(said.contains("this process will fail on purpose"), "{said}");

        let redelivered = around.next_of(INPUT).await;
        assert!(redelivered.redelivered, "{point}");
        assert_eq!(redelivered.message.headers.attempt, 1, "{point}");
        redelivered.ack().await.unwrap();
        let was_published = ["after-publish", "before-acknowledge"].contains(&point);
        assert_eq!(around.queue.depth(&OUTPUT).await.unwrap().ready, u64::from(was_published), "{point}");
        around.queue.purge(&OUTPUT).await.unwrap();
        std::fs::remove_dir_all(around.store.path().join("episodes")).ok();
    }
}

#[tokio::test]
async fn a_job_whose_service_is_killed_afterwards_is_done() {
    let around = Surroundings::new().await;
    around.submit("WRITE", None).await;
    let fail_point = [("service.fail_point", "kill@after-acknowledge")];
    let (status, _) = around.start_ready(&fail_point).end();
    assert_eq!(status.signal(), Some(9));
    around.next_of(OUTPUT).await.ack().await.unwrap();
    assert_eq!(around.queue.depth(&INPUT).await.unwrap().ready, 0);
}
