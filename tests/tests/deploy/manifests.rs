//! Kubernetes objects as kustomize renders them.

use std::path::PathBuf;
use std::process::Command;

use facereel_tests::repository;
use serde::Deserialize;
use serde_json::Value;

/// What can be applied to a cluster, below `deploy/kubernetes`.
pub(crate) const ALL: [&str; 3] = ["overlays/dev", "overlays/prod", "jobs/backfill"];
/// Those among them that run the services.
pub(crate) const OVERLAYS: [&str; 2] = ["overlays/dev", "overlays/prod"];

/// The path of something in `deploy`.
pub(crate) fn deploy(path: &str) -> PathBuf {
    repository::root().join("deploy").join(path)
}

/// The YAML that kustomize makes of a folder.
pub(crate) fn rendered(folder: &str) -> String {
    let output = Command::new("kubectl").arg("kustomize").arg(deploy("kubernetes").join(folder)).output();
    let output =
        output.expect("kubectl is there: `make test` installs it (scripts/install-deploy-checks.sh)");
    assert!(output.status.success(), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
}

/// The objects that kustomize makes of a folder.
pub(crate) fn objects(folder: &str) -> Vec<Object> {
    documents(&rendered(folder)).into_iter().map(Object).collect()
}

/// All documents of a YAML text.
pub(crate) fn documents(yaml: &str) -> Vec<Value> {
    let parts = yaml_serde::Deserializer::from_str(yaml);
    parts.map(|part| Value::deserialize(part).expect("the document is YAML")).collect()
}

/// A Kubernetes object.
#[derive(Debug, Clone)]
pub(crate) struct Object(pub(crate) Value);

impl Object {
    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `Kind name`, for messages.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// What stands at a JSON pointer, or nothing.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer; empty where none is.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The list at a JSON pointer; empty where none is.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether it makes pods.
    pub(crate) fn makes_pods(&self) -> bool {
        !self.at("/spec/template/spec/containers").is_null()
    }

    /// The containers of its pods, also those that only prepare.
    pub(crate) fn containers(&self) -> impl Iterator<Item = Object> {
        let of = |key: &str| self.list(&format!("/spec/template/spec/{key}")).to_vec();
        of("containers").into_iter().chain(of("initContainers")).map(Object)
    }

    /// Every text in it, with its pointer.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect_texts(&self.0, String::new(), &mut found);
        found
    }
}

fn collect_texts(value: &Value, pointer: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((pointer, text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_texts(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                collect_texts(item, format!("{pointer}/{key}"), found);
            }
        }
        _ => {}
    }
}
