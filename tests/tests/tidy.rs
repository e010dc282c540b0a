//! The repository is in order: what reviewers should not have to look for.

use std::collections::BTreeSet;

use facereel_tests::packages;
use facereel_tests::repository::{SourceFile, files, root, rust_files};

/// `path:line: text` of every line that `is_wrong`.
fn wrong_lines(files: &[SourceFile], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = files.iter().flat_map(|f| (1..).zip(f.text.lines()).map(move |(n, line)| (f, n, line)));
    lines
        .filter(|(_, _, line)| is_wrong(line))
        .map(|(f, n, line)| format!("{}:{n}: {}", f.path.display(), line.trim()))
        .collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn every_crate_says_what_may_live_in_it() {
    let missing = |package: &packages::Package| !root().join(&package.folder).join("README.md").is_file();
    let packages = packages::of_workspace().expect("cargo describes the workspace");
    let without: Vec<_> = packages.iter().filter(|p| missing(p)).map(|p| &p.name).collect();
    assert!(without.is_empty(), "no README.md: {without:?}");
}

#[test]
fn the_top_level_is_as_designed() {
    let designed = [
        "cli",
        "deploy",
        "detector-svc",
        "docs",
        "embedder-svc",
        "exporter-svc",
        "scripts",
        "shared",
        "tests",
        "tracker-svc",
    ];
    let folders: BTreeSet<String> = files()
        .iter()
        .filter(|file| file.path.components().count() > 1)
        .filter_map(|file| Some(file.path.iter().next()?.to_str()?.to_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    let unexpected: Vec<_> = folders.iter().filter(|name| !designed.contains(&name.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    let missing: Vec<_> =
        designed.iter().filter(|name| **name != "deploy" && !folders.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn source_files_are_short_and_most_of_them_very_short() {
    let sources: Vec<_> = rust_files().into_iter().filter(|file| file.lies_in("src")).collect();
    let mut lengths: Vec<usize> = sources.iter().map(|file| file.text.lines().count()).collect();
    let long: Vec<_> = sources
        .iter()
        .filter(|f| f.text.lines().count() > 400)
        .map(|f| f.path.display().to_string())
        .collect();
    assert_eq!(long, none());
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 150, "half of the files have more than {median} lines");
}

#[test]
fn nothing_is_left_to_do_later() {
    // In pieces, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["to", "do!("], ["unimple", "mented!("], ["#[ig", "nore"]]
        .map(|w| w.concat());
    assert_eq!(wrong_lines(&rust_files(), |line| words.iter().any(|word| line.contains(word))), none());
}

#[test]
fn tests_wait_for_events_and_not_for_time_to_pass() {
    let in_tests: Vec<_> = rust_files().into_iter().filter(|file| file.lies_in("tests")).collect();
    let word = ["sle", "ep("].concat();
    assert_eq!(wrong_lines(&in_tests, |line| line.contains(&word)), none());
}

#[test]
fn tests_that_the_documentation_names_are_there() {
    let sources = rust_files();
    let is_there = |name: &str| sources.iter().any(|file| file.text.contains(&format!("fn {name}(")));
    let is_sentence = |word: &&str| {
        word.matches('_').count() > 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    for page in ["docs/failure-modes.md", "docs/queue-topology.md"] {
        let text = std::fs::read_to_string(root().join(page)).expect("the page is there");
        let named: Vec<&str> = text.split('`').filter(is_sentence).collect();
        assert!(!named.is_empty(), "{page} names no test");
        let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
        assert!(missing.is_empty(), "{page}: {missing:?}");
    }
}

/// What the links of a page name, but for those to other sites. Code blocks hold none.
fn links(page: &SourceFile) -> impl Iterator<Item = &str> {
    let prose = page.text.split("```").step_by(2);
    let links = prose.flat_map(|text| text.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
    links.filter(|link| !link.contains("://"))
}

/// The anchors that a page's headings make.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|heading| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    })
}

#[test]
fn links_between_pages_lead_somewhere() {
    let is_dead = |page: &SourceFile, link: &str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let here = root().join(&page.path);
        let there = if path.is_empty() { here } else { here.with_file_name(path) };
        let has_anchor =
            || std::fs::read_to_string(&there).is_ok_and(|text| anchors(&text).any(|a| a == anchor));
        !there.exists() || !(anchor.is_empty() || has_anchor())
    };
    let mut dead = Vec::new();
    for page in files().iter().filter(|file| file.has_extension("md")) {
        let of_page = links(page).filter(|link| is_dead(page, link));
        dead.extend(of_page.map(|link| format!("{}: {link}", page.path.display())));
    }
    assert_eq!(dead, none());
}

#[test]
fn every_page_of_the_documentation_is_listed() {
    let list = std::fs::read_to_string(root().join("docs/README.md")).expect("the list is there");
    let pages =
        files().into_iter().filter(|f| f.path.parent() == Some("docs".as_ref()) && f.has_extension("md"));
    let names = pages.filter_map(|page| Some(page.path.file_name()?.to_str()?.to_owned()));
    let unlisted: Vec<_> =
        names.filter(|name| name != "README.md" && !list.contains(&format!("]({name})"))).collect();
    assert_eq!(unlisted, none());
}

#[test]
fn no_file_names_a_package_registry_or_a_mirror() {
    let hosts = [
        ["pypi", "org"],
        ["pythonhosted", "org"],
        ["npmjs", "org"],
        ["index.crates", "io"],
        ["static.crates", "io"],
    ]
    .map(|parts| parts.join("."));
    let options =
        [["--index", "-url"], ["extra-index", "-url"], ["replace", "-with"]].map(|parts| parts.concat());
    let named = |line: &str| hosts.iter().chain(&options).any(|word| line.contains(word.as_str()));
    assert_eq!(wrong_lines(&files(), named), none());
}

#[test]
fn no_file_knows_the_machine_or_the_folder_it_was_written_in() {
    let homes = ["work", "Users", "root"].map(|name| format!("/{name}/"));
    let outside = ["data", "peer", "design", "facts", "style", "seed-tasks", "practices"]
        .map(|name| format!("../{}/{name}", "shared"));
    let is_absolute = |line: &str, folder: &str| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || "._-}…*~".contains(c)))
        })
    };
    let tells = |line: &str| {
        homes.iter().any(|home| is_absolute(line, home))
            || outside.iter().any(|path| line.contains(path.as_str()))
    };
    assert_eq!(wrong_lines(&files(), tells), none());
}
