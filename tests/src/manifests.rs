//! Kubernetes objects as kustomize renders them.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::repository;

/// The path of something in `deploy`.
#[must_use]
pub fn deploy(path: &str) -> PathBuf {
    repository::root().join("deploy").join(path)
}

/// The YAML that kustomize makes of a folder below `deploy/kubernetes`.
///
/// # Panics
///
/// Where there is no `kubectl`, or it fails.
#[must_use]
pub fn rendered(folder: &str) -> String {
    let output = Command::new("kubectl").arg("kustomize").arg(deploy("kubernetes").join(folder)).output();
    let output =
        output.expect("kubectl is there: `make test` installs it (scripts/install-deploy-checks.sh)");
    assert!(output.status.success(), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
}

/// The objects that kustomize makes of a folder, and of each `CronJob` the Job that the cluster makes of it.
#[must_use]
pub fn objects(folder: &str) -> Vec<Object> {
    let rendered = documents(&rendered(folder)).into_iter().map(Object);
    rendered.flat_map(|object| [object.job(), Some(object)]).flatten().collect()
}

/// All documents of a YAML text.
///
/// # Panics
///
/// Where it is no YAML.
#[must_use]
pub fn documents(yaml: &str) -> Vec<Value> {
    let parts = yaml_serde::Deserializer::from_str(yaml);
    parts.map(|part| Value::deserialize(part).expect("the document is YAML")).collect()
}

/// A Kubernetes object.
#[derive(Debug, Clone)]
pub struct Object(pub Value);

impl Object {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `Kind name`, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.kind(), self.name())
    }

    /// The Job that a `CronJob` makes.
    fn job(&self) -> Option<Self> {
        let mut job = self.0.pointer("/spec/jobTemplate")?.clone();
        job["kind"] = "Job".into();
        job["metadata"]["name"] = self.name().into();
        Some(Self(job))
    }

    /// What stands at a JSON pointer, or nothing.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer; empty where none is.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The list at a JSON pointer; empty where none is.
    #[must_use]
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether it makes pods.
    #[must_use]
    pub fn makes_pods(&self) -> bool {
        !self.at("/spec/template/spec/containers").is_null()
    }

    /// The containers of its pods, also those that only prepare.
    pub fn containers(&self) -> impl Iterator<Item = Object> {
        let of = |key: &str| self.list(&format!("/spec/template/spec/{key}")).to_vec();
        of("containers").into_iter().chain(of("initContainers")).map(Object)
    }

    /// What its pods' first container has in its environment under `name`; empty where that comes from elsewhere.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        let variables = self.list("/spec/template/spec/containers/0/env");
        let found = variables.iter().find(|variable| variable["name"] == name);
        found.and_then(|variable| variable["value"].as_str()).unwrap_or_default()
    }

    /// Every text in it, with its pointer.
    #[must_use]
    pub fn texts(&self) -> Vec<(String, String)> {
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
