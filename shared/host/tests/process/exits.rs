//! Exit codes of services that do not start.

use crate::rig::{Process, Surroundings};

fn code_and_text(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let (status, said) = Process::start(settings).end();
    (status.code(), said)
}

#[test]
fn wrong_settings_are_code_2() {
    for (path, value, why) in [
        ("service.drainsec", "1", "did you mean"),
        ("service.drain_sec", "-1", "service.drain_sec"),
        ("service.stages", "detect,track", "'track' is no stage of tester-svc"),
        ("service.fail_point", "stop@noon", "service.fail_point"),
        ("service.otlp_endpoint", "grpc://host", "service.otlp_endpoint"),
        ("service.listen", "999.1.1.1:80", "service.listen"),
        ("log.level", "loud=very", "log.level"),
    ] {
        let (code, said) = code_and_text(&[(path, value)]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_taken_address_is_code_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = code_and_text(&[("service.listen", &address)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&address), "{said}");
}

#[test]
fn missing_models_are_code_4() {
    let (code, said) = code_and_text(&[("models.dir", "missing"), ("queue.url", "in-process:")]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no model"), "{said}");
}

#[test]
fn a_store_that_can_not_be_used_is_code_5() {
    let (code, said) = code_and_text(&[
        ("store.url", "s3://bucket/prefix"),
        ("store.endpoint", "http://127.0.0.1:1"),
        ("queue.url", "in-process:"),
        ("service.start_timeout_sec", "1"),
    ]);
    assert_eq!(code, Some(5), "{said}");
}

#[tokio::test]
async fn a_broker_that_refuses_is_code_6_at_once() {
    let around = Surroundings::new().await;
    let wrong = around.queue_url.replace("guest:guest", "guest:wrong");
    let store = around.store.path().display().to_string();
    let (code, said) = code_and_text(&[("queue.url", &wrong), ("store.url", &store)]);
    assert_eq!(code, Some(6), "{said}");
}

#[test]
fn the_documentation_lists_every_code_with_its_meaning() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/services.md");
    let page = std::fs::read_to_string(page).unwrap();
    for exit in facereel_host::Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(page.contains(&row), "no row '{row}'");
    }
}
