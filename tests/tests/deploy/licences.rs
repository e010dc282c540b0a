//! What images hold of others' work goes with its licence.

use std::fs;
use std::process::Command;

use facereel_inference::catalog::{ENTRIES, Entry, Role};

use crate::manifests::deploy;

fn text(path: &str) -> String {
    fs::read_to_string(deploy(path)).unwrap_or_else(|error| panic!("deploy/{path}: {error}"))
}

fn runtime() -> &'static Entry {
    ENTRIES
        .iter()
        .find(|entry| entry.role == Role::Runtime)
        .expect("the catalog has a runtime for this system")
}

#[test]
fn every_model_has_its_licence_beside_the_recipe() {
    for model in ENTRIES.iter().filter(|entry| entry.role != Role::Runtime) {
        let licence = text(&format!("image/licences/{}.txt", model.name));
        let (name, words) = match model.licence {
            "MIT" => {
                ("MIT License", "The above copyright notice and this permission notice shall be included")
            }
            "Apache-2.0" => ("Apache License", "You must give any other recipients of the Work"),
            other => panic!("{}: no text is known for {other}", model.name),
        };
        let flowing = licence.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(name) && flowing.contains(words), "{}", model.name);
    }
}

#[test]
fn licences_of_onnx_runtime_come_from_the_very_package_that_its_library_comes_from() {
    let (package, list) = (&runtime().package, text("image/onnxruntime.txt"));
    assert!(list.contains(&package.requirement()), "another version than the program's: {list}");
    assert!(
        list.contains(&format!("--hash=sha256:{}", package.sha256)),
        "another file than the program's: {list}"
    );
}

#[test]
fn images_for_graphics_cards_hold_the_same_version_of_onnx_runtime() {
    let (version, list) = (runtime().package.version, text("image/onnxruntime-gpu.txt"));
    assert!(list.contains(&format!("onnxruntime-gpu=={version} ")), "{list}");
    let library = format!("MODELS__ONNXRUNTIME=/usr/lib/facereel-cuda/{}", runtime().file);
    assert_eq!(text("image/Dockerfile").matches(&library).count(), 2);
}

#[test]
fn the_notices_name_every_crate_in_the_programs_and_hold_its_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("crates.txt");
    let output = Command::new(deploy("image/notices")).arg(&file).args(["detector-svc", "facereel"]).output();
    let output = output.expect("Python is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let notices = fs::read_to_string(file).expect("it was written");
    for name in ["aws-sdk-s3", "ffmpeg-next", "lapin", "ort", "turbojpeg-sys", "ring"] {
        assert!(notices.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} is missing");
    }
    // libjpeg-turbo and what comes from BoringSSL are no crates but lie in some.
    for words in ["Independent JPEG Group", "Apache License", "BoringSSL", "Redistribution and use in source"]
    {
        assert!(notices.contains(words), "'{words}' is missing");
    }
    assert!(!notices.lines().any(|line| line.starts_with("proptest ")), "tests are in no image");
}
