//! The workspace's packages, as cargo knows them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::repository;

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the root.
    pub folder: PathBuf,
    /// Packages it names as dependencies of any kind, also for tests and builds.
    pub dependencies: Vec<String>,
    /// Those among them that it needs when it is built for use.
    pub normal_dependencies: Vec<String>,
}

impl Package {
    /// Whether it is one of the four services.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.name.ends_with("-svc")
    }
}

/// All packages of the workspace.
pub fn of_workspace() -> Result<Vec<Package>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository::root())
        .output()
        .context("cargo can't be started")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("metadata without packages")?;
    packages.iter().map(package).collect()
}

fn package(value: &Value) -> Result<Package> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let manifest = PathBuf::from(text(&value["manifest_path"]).context("a package without manifest")?);
    let folder = manifest.parent().context("a manifest without folder")?;
    let listed = value["dependencies"].as_array().context("a package without dependencies")?;
    let names = |wanted: fn(&Value) -> bool| {
        listed.iter().filter(|d| wanted(d)).filter_map(|d| text(&d["name"])).collect::<Vec<_>>()
    };
    Ok(Package {
        name: text(&value["name"]).context("a package without name")?,
        folder: folder.strip_prefix(repository::root())?.to_owned(),
        dependencies: names(|_| true),
        normal_dependencies: names(|dependency| dependency["kind"].is_null()),
    })
}
