//! What we depend on: where it comes from and under which terms.
//!
//! A small part of what cargo-deny does, without minutes of installing it. Known vulnerabilities are not looked up:
//! that needs a database that changes, and a test should not fail because of the day.

use std::process::Command;

use facereel_tests::repository;
use serde_json::Value;

/// Licences that ask for no more than naming the authors.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "WTFPL",
    "Zlib",
];

/// The one registry, as cargo names it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What must not come in, not even by way of others, and why.
const BANNED: [(&str, &str); 4] = [
    ("openssl-sys", "TLS is rustls with ring, the same for broker and store"),
    ("native-tls", "TLS is rustls with ring, the same for broker and store"),
    ("aws-lc-sys", "a second cryptography library, built with cmake"),
    ("libsqlite3-sys", "there is no database here"),
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(repository::root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    metadata["packages"].as_array().expect("there are packages").clone()
}

fn name(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("{} {}", text("name"), text("version"))
}

/// Whether an SPDX expression can be met with allowed licences alone. A slash is an older way to write OR; parentheses
/// stand at the beginning of an expression only.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.trim();
    if let Some((group, rest)) = expression.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
        return is_allowed(group)
            && (rest.is_empty() || rest.trim().strip_prefix("AND ").is_some_and(is_allowed));
    }
    let alternatives = expression.split(" OR ").flat_map(|part| part.split('/'));
    let mut alternatives = alternatives.map(|all| all.split(" AND "));
    alternatives.any(|mut all| all.all(|one| ALLOWED.contains(&one.trim())))
}

#[test]
fn licences_ask_for_no_more_than_naming_the_authors() {
    let licence = |package: &Value| package["license"].as_str().unwrap_or("none").to_owned();
    let wrong: Vec<_> = packages()
        .iter()
        .filter(|package| !is_allowed(&licence(package)))
        .map(|package| format!("{}: {}", name(package), licence(package)))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    for allowed in
        ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "Apache-2.0 AND ISC", "(MIT OR GPL-3.0) AND ISC"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in [
        "GPL-3.0",
        "none",
        "MIT AND GPL-3.0",
        "(GPL-3.0 OR AGPL-3.0) AND MIT",
        "(MIT) AND GPL-3.0",
        "(MIT) OR x",
    ] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

#[test]
fn crates_come_from_the_registry_or_from_here() {
    let foreign = |package: &&Value| package["source"].as_str().is_some_and(|source| source != REGISTRY);
    assert_eq!(packages().iter().filter(foreign).map(name).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn banned_crates_are_not_there() {
    let banned = |package: &Value| BANNED.iter().find(|(banned, _)| package["name"] == *banned);
    let found: Vec<_> =
        packages().iter().filter_map(banned).map(|(name, why)| format!("{name}: {why}")).collect();
    assert_eq!(found, Vec::<String>::new());
}
