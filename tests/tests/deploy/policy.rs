//! What no pod of ours may lack, whatever an overlay changes.

use serde_json::json;

use crate::manifests::{ALL, OVERLAYS, Object, objects};

/// Objects of all overlays that make pods, with the folder they come from.
fn workloads() -> Vec<(&'static str, Object)> {
    let of = |folder| objects(folder).into_iter().map(move |object| (folder, object));
    ALL.into_iter().flat_map(of).filter(|(_, object)| object.makes_pods()).collect()
}

/// Insists on `is_right` for each pod.
fn pods_must(is_right: impl Fn(&Object) -> bool) {
    let wrong = workloads().into_iter().filter(|(_, object)| !is_right(object));
    let wrong: Vec<_> = wrong.map(|(folder, object)| format!("{folder}: {}", object.title())).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// Insists on `is_right` for each container.
fn containers_must(is_right: impl Fn(&Object) -> bool) {
    pods_must(|pod| pod.containers().all(|container| is_right(&container)));
}

#[test]
fn pods_run_as_somebody_without_rights() {
    pods_must(|pod| {
        let security = "/spec/template/spec/securityContext";
        *pod.at(&format!("{security}/runAsNonRoot")) == json!(true)
            && pod.at(&format!("{security}/runAsUser")).as_u64().is_some_and(|user| user > 0)
            && pod.text(&format!("{security}/seccompProfile/type")) == "RuntimeDefault"
    });
    containers_must(|container| {
        *container.at("/securityContext/allowPrivilegeEscalation") == json!(false)
            && *container.at("/securityContext/capabilities") == json!({"drop": ["ALL"]})
            && container.at("/securityContext/privileged").is_null()
            && container.at("/securityContext/runAsUser").is_null()
    });
}

#[test]
fn pods_get_nothing_of_the_host_and_no_access_to_the_cluster() {
    pods_must(|pod| {
        let nothing = ["hostNetwork", "hostPID", "hostIPC"].map(|key| format!("/spec/template/spec/{key}"));
        nothing.iter().all(|pointer| pod.at(pointer).is_null())
            && *pod.at("/spec/template/spec/automountServiceAccountToken") == json!(false)
            && pod.list("/spec/template/spec/volumes").iter().all(|volume| volume.get("hostPath").is_none())
    });
}

#[test]
fn pods_write_only_where_it_is_limited() {
    containers_must(|container| *container.at("/securityContext/readOnlyRootFilesystem") == json!(true));
    pods_must(|pod| {
        let volumes = pod.list("/spec/template/spec/volumes").iter();
        volumes.filter_map(|volume| volume.get("emptyDir")).all(|folder| folder.get("sizeLimit").is_some())
    });
}

#[test]
fn containers_get_what_they_may_take_and_no_more() {
    containers_must(|container| {
        let limits = container.at("/resources/limits");
        limits == container.at("/resources/requests")
            && ["cpu", "memory", "ephemeral-storage"].iter().all(|key| limits.get(key).is_some())
    });
}

#[test]
fn whatever_serves_is_probed() {
    let serves = |pod: &Object| pod.kind() != "Job";
    pods_must(|pod| {
        let probed = |container: Object| {
            ["startupProbe", "readinessProbe", "livenessProbe"]
                .iter()
                .all(|key| container.0.get(key).is_some())
        };
        !serves(pod) || pod.containers().all(probed)
    });
}

#[test]
fn images_have_a_version() {
    containers_must(|container| {
        let image = container.text("/image");
        let version = image.rsplit('/').next().and_then(|name| name.split_once([':', '@']));
        version.is_some_and(|(_, version)| !version.is_empty() && version != "latest")
    });
}

#[test]
fn production_runs_images_by_their_digest() {
    for folder in ["overlays/prod", "overlays/gpu", "jobs/backfill", "jobs/retention"] {
        for pod in objects(folder).iter().filter(|object| object.makes_pods()) {
            let by_digest = |container: Object| container.text("/image").contains("@sha256:");
            assert!(pod.containers().all(by_digest), "{folder}: {}", pod.title());
        }
    }
}

#[test]
fn production_has_no_secret_in_it() {
    for folder in ["overlays/prod", "overlays/gpu"] {
        let secrets = objects(folder).into_iter().filter(|object| object.kind() == "Secret");
        assert_eq!(secrets.map(|secret| secret.title()).collect::<Vec<_>>(), Vec::<String>::new());
    }
}

#[test]
fn services_have_the_time_to_hand_their_jobs_back() {
    for folder in OVERLAYS {
        let objects = objects(folder);
        let settings =
            objects.iter().find(|o| o.kind() == "ConfigMap" && o.name().starts_with("facereel-settings"));
        let drain = settings.expect("the overlay has settings").text("/data/FACEREEL__SERVICE__DRAIN_SEC");
        let drain: u64 = drain.parse().expect("service.drain_sec is a number");
        for service in objects.iter().filter(|object| object.kind() == "Deployment") {
            let grace = service.at("/spec/template/spec/terminationGracePeriodSeconds").as_u64();
            assert!(grace.is_some_and(|grace| grace >= drain + 20), "{}: {grace:?}", service.title());
        }
    }
}

#[test]
fn services_are_spread_and_never_all_evicted_at_once() {
    for folder in OVERLAYS {
        let objects = objects(folder);
        for service in objects.iter().filter(|object| object.kind() == "Deployment") {
            let labels = service.at("/spec/selector/matchLabels");
            let spread = service.list("/spec/template/spec/topologySpreadConstraints");
            assert_eq!(spread.len(), 2, "{}", service.title());
            for constraint in spread {
                assert_eq!(
                    constraint.pointer("/labelSelector/matchLabels"),
                    Some(labels),
                    "{}",
                    service.title()
                );
            }
            let has_budget = |o: &&Object| {
                o.kind() == "PodDisruptionBudget" && o.at("/spec/selector/matchLabels") == labels
            };
            assert!(objects.iter().any(|o| has_budget(&o)), "{} has no disruption budget", service.title());
        }
    }
}

#[test]
fn the_network_is_closed_but_for_what_is_listed() {
    for folder in OVERLAYS {
        let objects = objects(folder);
        let policies: Vec<_> = objects.iter().filter(|object| object.kind() == "NetworkPolicy").collect();
        let closes = |policy: &&&Object| {
            *policy.at("/spec/podSelector") == json!({})
                && *policy.at("/spec/policyTypes") == json!(["Ingress", "Egress"])
                && policy.list("/spec/ingress").is_empty()
                && policy.list("/spec/egress").is_empty()
        };
        assert_eq!(policies.iter().filter(closes).count(), 1, "{folder}");
        for policy in &policies {
            let rules = policy.list("/spec/ingress").iter().chain(policy.list("/spec/egress"));
            for rule in rules {
                let names =
                    |key: &str| rule.get(key).and_then(|v| v.as_array()).is_some_and(|v| !v.is_empty());
                assert!(names("ports") && (names("to") || names("from")), "{folder}: {}", policy.title());
            }
            for (pointer, text) in policy.texts() {
                let everywhere = pointer.ends_with("/cidr") && text.ends_with("/0");
                let except = policy.text(&pointer.replace("/cidr", "/except/0"));
                assert!(!everywhere || except == "169.254.0.0/16", "{folder}: {} {pointer}", policy.title());
            }
        }
    }
}
