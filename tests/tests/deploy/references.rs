//! Objects that name each other are there.

use std::collections::BTreeSet;

use rstest::rstest;

use crate::manifests::{Object, objects};

/// What whoever runs the cluster makes (docs/kubernetes.md).
const FROM_OUTSIDE: [&str; 2] = ["Secret facereel-broker", "Secret facereel-store"];

/// `Kind name` of everything that an object refers to.
fn named_by(object: &Object) -> Vec<String> {
    let mut named = Vec::new();
    for (pointer, text) in object.texts() {
        let kind = match pointer.rsplit_once('/') {
            Some((before, "name")) => match before.rsplit('/').find(|part| part.parse::<usize>().is_err()) {
                Some("configMapRef" | "configMap") => "ConfigMap",
                Some("secretRef" | "secretKeyRef" | "secret" | "secretTargetRef") => "Secret",
                Some("authenticationRef") => "TriggerAuthentication",
                Some("scaleTargetRef") => "Deployment",
                _ => continue,
            },
            Some((_, "secretName")) => "Secret",
            Some((_, "serviceAccountName")) => "ServiceAccount",
            _ => continue,
        };
        named.push(format!("{kind} {text}"));
    }
    named
}

#[rstest]
#[case("overlays/dev", &[])]
#[case("overlays/prod", &FROM_OUTSIDE)]
#[case("overlays/gpu", &FROM_OUTSIDE)]
#[case("jobs/backfill", &["Secret facereel-broker", "Secret facereel-store", "ServiceAccount facereel"])]
#[case("jobs/retention", &["Secret facereel-eraser", "ServiceAccount facereel"])]
fn whatever_is_named_is_there_or_is_asked_for_in_the_docs(#[case] folder: &str, #[case] outside: &[&str]) {
    let objects = objects(folder);
    let there: BTreeSet<String> = objects.iter().map(Object::title).collect();
    let named: BTreeSet<String> = objects.iter().flat_map(named_by).collect();
    let missing: Vec<_> = named.difference(&there).collect();
    assert_eq!(missing, outside.iter().collect::<Vec<_>>(), "{folder}");
}

#[rstest]
#[case("overlays/dev")]
#[case("overlays/prod")]
#[case("overlays/gpu")]
fn selectors_choose_pods_that_exist(#[case] folder: &str) {
    let objects = objects(folder);
    let labels: Vec<_> =
        objects.iter().map(|object| object.at("/spec/template/metadata/labels").clone()).collect();
    let selectors = |object: &Object| {
        let places = ["/spec/selector/matchLabels", "/spec/podSelector/matchLabels"];
        places.map(|place| object.at(place).clone()).into_iter().filter(|selector| !selector.is_null())
    };
    for object in &objects {
        for selector in selectors(object) {
            let wanted = selector.as_object().expect("labels are a map");
            let chosen =
                labels.iter().filter(|have| wanted.iter().all(|(key, value)| have.get(key) == Some(value)));
            assert!(chosen.count() > 0, "{folder}: {} chooses no pod: {selector}", object.title());
        }
    }
}
