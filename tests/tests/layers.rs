//! Who may depend on whom, and who may touch what. ARCHITECTURE.md gives the reasons.

use std::path::Path;

use facereel_tests::packages::{self, Package};
use facereel_tests::repository::{SourceFile, rust_files};
use rstest::rstest;

fn workspace() -> Vec<Package> {
    packages::of_workspace().expect("cargo describes the workspace")
}

/// `(package, dependency)` wherever `is_wrong` says so.
fn wrong_edges(is_wrong: impl Fn(&Package, &str) -> bool) -> Vec<(String, String)> {
    let packages = workspace();
    let edges = packages.iter().flat_map(|p| p.dependencies.iter().map(move |d| (p, d)));
    edges.filter(|(p, d)| is_wrong(p, d)).map(|(p, d)| (p.name.clone(), d.clone())).collect()
}

#[test]
fn a_service_never_depends_on_another_service() {
    assert_eq!(wrong_edges(|package, dependency| package.is_service() && dependency.ends_with("-svc")), []);
}

#[test]
fn nothing_depends_on_the_program_or_on_the_tests() {
    assert_eq!(wrong_edges(|_, dependency| ["facereel", "facereel-tests"].contains(&dependency)), []);
}

#[test]
fn shared_crates_depend_on_shared_crates_only() {
    let packages = workspace();
    let shared =
        |name: &str| packages.iter().find(|p| p.name == name).is_none_or(|p| p.folder.starts_with("shared"));
    let wrong = wrong_edges(|package, dependency| {
        package.folder.starts_with("shared") && !shared(dependency) && dependency != TEST_SERVERS
    });
    assert_eq!(wrong, []);
}

/// Starts real servers for tests of any package.
const TEST_SERVERS: &str = "facereel-test-servers";

#[test]
fn test_servers_are_for_tests_only() {
    let uses = |package: &&Package| package.normal_dependencies.iter().any(|name| name == TEST_SERVERS);
    let users: Vec<_> = workspace().iter().filter(uses).map(|package| package.name.clone()).collect();
    assert!(users.iter().all(|name| name == "facereel-tests"), "{users:?}");
}

/// Each library that reaches outside of the process, or weighs much, stands behind the one crate that hides it.
#[rstest]
#[case("lapin", "facereel-queue")]
#[case("aws-sdk-s3", "facereel-store")]
#[case("ort", "facereel-inference")]
#[case("ffmpeg-next", "facereel-video-decode")]
#[case("ffmpeg-sys-next", "facereel-video-decode")]
#[case("config", "facereel-settings")]
#[case("rmp-serde", "facereel-messages")]
#[case("turbojpeg", "facereel-imaging")]
#[case("hyper", "facereel-host")]
#[case("opentelemetry_sdk", "facereel-host")]
#[case("prometheus-client", "facereel-host")]
fn a_heavy_library_has_one_user(#[case] library: &str, #[case] user: &str) {
    assert_eq!(wrong_edges(|package, dependency| dependency == library && package.name != user), []);
}

#[test]
fn the_vocabulary_knows_no_other_crate_of_ours() {
    assert_eq!(
        wrong_edges(
            |package, dependency| package.name == "facereel-domain" && dependency.starts_with("facereel")
        ),
        []
    );
}

/// Lines of `files` that hold one of `words`, as `path:line`.
fn lines_with(files: impl IntoIterator<Item = SourceFile>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.lines_before_tests() {
            let is_code = !line.trim_start().starts_with("//");
            if is_code && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.path.display(), line.trim()));
            }
        }
    }
    found
}

/// Rust files in `src` folders.
fn sources() -> impl Iterator<Item = SourceFile> {
    rust_files().into_iter().filter(|file| file.lies_in("src"))
}

#[rstest]
#[case("shared/domain/src")]
#[case("tracker-svc/bytetrack/src")]
#[case("cli/evaluation/src")]
fn pure_crates_have_no_clock_no_files_and_no_async(#[case] folder: &str) {
    let files: Vec<_> = sources().filter(|file| file.path.starts_with(folder)).collect();
    assert!(!files.is_empty(), "{folder} has no sources");
    let impure = [
        "tokio",
        "async ",
        ".await",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "rand::",
    ];
    assert_eq!(lines_with(files, &impure), Vec::<String>::new());
}

#[test]
fn the_environment_is_read_in_one_place() {
    // Where else it may stand, and why.
    let exceptions = [
        ("shared/settings/src", "the place itself"),
        ("cli/src/main.rs", "a program's arguments"),
        ("tests/src", "the tests' own folders and the program under test"),
        ("tests/servers/src", "the run of tests that servers belong to"),
    ];
    let others = sources().filter(|file| {
        !exceptions.iter().any(|(place, _)| file.path.starts_with(place))
            && file.path.file_name() != Some("main.rs".as_ref())
    });
    let reads = ["env::var", "env::vars", "env::args", "env::current_dir", "env::temp_dir", "env::home_dir"];
    assert_eq!(lines_with(others, &reads), Vec::<String>::new());
}

#[test]
fn services_have_the_same_files_for_the_same_things() {
    for service in workspace().iter().filter(|package| package.is_service()) {
        let folder = facereel_tests::repository::root().join(&service.folder);
        let has = |path: &str| folder.join(path).is_file();
        let missing: Vec<_> = ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "src/service.rs"]
            .into_iter()
            .filter(|path| !has(path))
            .collect();
        assert_eq!(missing, Vec::<&str>::new(), "{}", service.name);
        let main = sources().find(|f| f.path == Path::new(&service.folder).join("src/main.rs"));
        let lines = main.map_or(0, |file| file.text.lines().count());
        assert!(lines < 15, "{}: what is in main.rs belongs to the library", service.name);
        let has_stage = has("src/stage.rs")
            || sources()
                .any(|f| f.path.starts_with(Path::new(&service.folder)) && f.path.ends_with("stage.rs"));
        assert!(has_stage, "{} has no stage.rs", service.name);
    }
}
