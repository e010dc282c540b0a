//! Every object has the form that Kubernetes, KEDA and the Prometheus operator ask for.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rstest::rstest;

use crate::manifests::rendered;

/// The oldest and the newest Kubernetes that docs/kubernetes.md names.
const VERSIONS: [&str; 2] = ["1.29", "1.37"];

/// What the checker has to say of objects.
fn problems(yaml: &str, version: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deploy/schemas.py");
    let mut command = Command::new(python());
    command.args([script, version]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python starts");
    let mut input = child.stdin.take().expect("its input is ours");
    input.write_all(yaml.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The Python that has the schemas: the one beside `kubernetes-validate`.
fn python() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .find(|folder| folder.join("kubernetes-validate").is_file())
        .map(|folder| folder.join("python"))
        .expect("kubernetes-validate is there: `make test` installs it (scripts/install-deploy-checks.sh)")
}

#[rstest]
#[case("overlays/dev")]
#[case("overlays/prod")]
#[case("overlays/gpu")]
#[case("jobs/backfill")]
#[case("jobs/retention")]
fn every_object_fits_its_schema(#[case] folder: &str) {
    let yaml = rendered(folder);
    for version in VERSIONS {
        assert_eq!(problems(&yaml, version), "", "{folder}, Kubernetes {version}");
    }
}

#[rstest]
#[case("maxReplicaCount: 64", "maxReplicaCount: many", "maxReplicaCount")]
#[case("pollingInterval: 15", "pollInterval: 15", "pollInterval: there is no such key")]
#[case("stabilizationWindowSeconds: 300", "stabilisationSeconds: 300", "there is no such key")]
#[case("readOnlyRootFilesystem: true", "readOnlyRoot: true", "readOnlyRoot")]
#[case("scrapeTimeout: 5s", "scrapeTimeout: [5]", "scrapeTimeout")]
fn what_does_not_fit_is_found(#[case] right: &str, #[case] wrong: &str, #[case] said: &str) {
    let yaml = rendered("overlays/prod");
    assert!(yaml.contains(right), "{right} is not there");
    let found = problems(&yaml.replace(right, wrong), "1.32");
    assert!(found.contains(said), "{found:?}");
}
