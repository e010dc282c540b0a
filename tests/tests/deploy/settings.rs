//! Settings that `deploy/` sets exist, and say nothing that the services would refuse.

use std::collections::BTreeSet;
use std::fs;

use facereel_tests::repository;

/// `group.key` of every setting that docs/settings.md (generated from the code) lists.
fn known() -> BTreeSet<String> {
    let text =
        fs::read_to_string(repository::root().join("docs/settings.md")).expect("the reference is there");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

/// `(file, group.key)` of every setting in the environment of anything in `deploy/`.
fn set() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in repository::files().iter().filter(|file| file.path.starts_with("deploy")) {
        for (at, prefix) in file.text.match_indices("FACEREEL__") {
            let rest = &file.text[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let path = rest[..end].replace("__", ".").to_lowercase();
            found.push((file.path.display().to_string(), path));
        }
    }
    found
}

#[test]
fn every_setting_that_is_set_exists() {
    let known = known();
    let set = set();
    assert!(set.len() > 10, "only {} settings were found in deploy/", set.len());
    let wrong: Vec<_> = set.iter().filter(|(_, path)| !known.contains(path)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
