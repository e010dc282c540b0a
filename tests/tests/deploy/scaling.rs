//! Each stage scales on its own queues.

use std::collections::BTreeMap;
use std::fs;

use rstest::rstest;
use serde_json::{Value, json};

use crate::manifests::{OVERLAYS, Object, deploy, objects};

/// The queues that workers consume, as the broker's definitions list them.
fn queues_of_jobs() -> Vec<String> {
    let text = fs::read_to_string(deploy("rabbitmq/definitions.json")).expect("the definitions are there");
    let definitions: Value = serde_json::from_str(&text).expect("the definitions are JSON");
    let queues = definitions["queues"].as_array().expect("they list queues");
    let names = queues.iter().filter_map(|queue| queue["name"].as_str());
    let mut names: Vec<_> =
        names.filter(|n| !n.contains(".delay.") && *n != "facereel.dead").map(str::to_owned).collect();
    names.sort();
    names
}

fn scaled(folder: &str) -> Vec<Object> {
    objects(folder).into_iter().filter(|object| object.kind() == "ScaledObject").collect()
}

/// The Deployment of each stage, as the Deployments say themselves: `service.stages`.
fn workers_by_stage(folder: &str) -> BTreeMap<String, Object> {
    let deployments = objects(folder).into_iter().filter(|object| object.kind() == "Deployment");
    deployments.map(|object| (object.variable("FACEREEL__SERVICE__STAGES").to_owned(), object)).collect()
}

#[test]
fn every_stage_has_a_deployment_of_the_service_that_knows_it() {
    let services = [
        ("plan", "detector-svc"),
        ("detect", "detector-svc"),
        ("track", "tracker-svc"),
        ("embed", "embedder-svc"),
        ("export", "exporter-svc"),
    ];
    for folder in OVERLAYS {
        let workers = workers_by_stage(folder);
        assert_eq!(workers.len(), services.len(), "{folder}: {:?}", workers.keys());
        for (stage, service) in services {
            let image = workers[stage].text("/spec/template/spec/containers/0/image");
            let name = image.split(['@', ':']).next().and_then(|path| path.rsplit('/').next());
            let name = name.map(|name| name.trim_end_matches("-gpu"));
            assert_eq!(name, Some(service), "{folder}: {stage}");
        }
    }
}

#[test]
fn every_queue_of_jobs_wakes_the_deployment_of_its_stage() {
    let queues = queues_of_jobs();
    assert_eq!(queues.len(), 10, "{queues:?}");
    for folder in OVERLAYS {
        let workers = workers_by_stage(folder);
        let worker_of = |queue: &str| workers[queue.split('.').nth(1).unwrap_or_default()].name().to_owned();
        let expected: BTreeMap<_, _> = queues.iter().map(|queue| (queue.clone(), worker_of(queue))).collect();
        let mut found = BTreeMap::new();
        for object in scaled(folder) {
            for trigger in object.list("/spec/triggers") {
                let queue = trigger["metadata"]["queueName"].as_str().unwrap_or_default().to_owned();
                let target = object.text("/spec/scaleTargetRef/name").to_owned();
                assert_eq!(found.insert(queue.clone(), target), None, "{queue} has two triggers");
            }
        }
        assert_eq!(found, expected, "{folder}");
    }
}

#[rstest]
#[case("overlays/dev")]
#[case("overlays/prod")]
#[case("overlays/gpu")]
fn scalers_see_jobs_that_workers_hold_and_let_nobody_go_too_early(#[case] folder: &str) {
    for object in scaled(folder) {
        let title = object.title();
        assert_eq!(*object.at("/spec/minReplicaCount"), json!(0), "{title} keeps replicas for nothing");
        assert_eq!(*object.at("/spec/cooldownPeriod"), json!(300), "{title}");
        let down =
            "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown/stabilizationWindowSeconds";
        assert_eq!(*object.at(down), json!(300), "{title}");
        for trigger in object.list("/spec/triggers") {
            assert_eq!(trigger["type"], "rabbitmq", "{title}");
            let metadata = trigger["metadata"].as_object().expect("a trigger has metadata");
            let mut keys: Vec<_> = metadata.keys().map(String::as_str).collect();
            keys.sort_unstable();
            // KEDA checks none of them, and takes one that it does not know for a wish to be ignored.
            assert_eq!(keys, ["mode", "protocol", "queueName", "value"], "{title}");
            assert_eq!(
                (&metadata["protocol"], &metadata["mode"]),
                (&json!("http"), &json!("QueueLength")),
                "{title}"
            );
            let value = metadata["value"].as_str().and_then(|value| value.parse::<u32>().ok());
            assert!(value.is_some_and(|value| value > 0), "{title}: {metadata:?}");
            assert_eq!(trigger["authenticationRef"]["name"], "facereel-broker", "{title}");
        }
    }
}

#[test]
fn keda_decides_how_many_there_are_and_nobody_else() {
    for folder in OVERLAYS {
        for object in objects(folder).iter().filter(|object| object.kind() == "Deployment") {
            assert!(object.at("/spec/replicas").is_null(), "{folder}: {}", object.title());
        }
    }
}
