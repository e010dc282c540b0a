//! The images' recipe and the compose file: what runs, as whom, and in which version.

use std::collections::BTreeSet;
use std::fs;

use facereel_tests::packages;
use facereel_tests::repository;
use serde_json::Value;

use crate::manifests::{OVERLAYS, deploy, objects};

fn text(path: &str) -> String {
    fs::read_to_string(deploy(path)).unwrap_or_else(|error| panic!("deploy/{path}: {error}"))
}

/// The programs that run beyond one's own machine: four services and the operator's tool.
fn programs() -> BTreeSet<String> {
    let packages = packages::of_workspace().expect("cargo describes the workspace");
    let services = packages.iter().filter(|package| package.is_service()).map(|package| package.name.clone());
    services.chain(["facereel".to_owned()]).collect()
}

/// The stages of the Dockerfile, each with the instructions it consists of.
fn stages() -> Vec<(String, Vec<String>)> {
    let recipe = text("image/Dockerfile").replace("\\\n", " ");
    let mut stages: Vec<(String, Vec<String>)> = Vec::new();
    for line in recipe.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match line.split_once(" AS ") {
            Some((from, name)) if from.starts_with("FROM ") => {
                stages.push((name.to_owned(), vec![from.to_owned()]));
            }
            _ => {
                if let Some((_, instructions)) = stages.last_mut() {
                    instructions.push(line.to_owned());
                }
            }
        }
    }
    stages
}

/// The instructions of a stage behind those of the stages that it is made from.
fn instructions_of(name: &str) -> Vec<String> {
    let stages = stages();
    let mut instructions = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let stage = stages.iter().find(|(stage, _)| *stage == name);
        let own = stage.map(|(_, own)| own.clone()).unwrap_or_default();
        next = own.first().and_then(|from| from.strip_prefix("FROM ")).map(str::to_owned);
        instructions.splice(0..0, own);
    }
    instructions
}

#[test]
fn every_program_has_an_image_in_which_it_is_the_first_process_but_for_tini() {
    for program in programs() {
        let instructions = instructions_of(&program);
        let entry = format!("ENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/usr/bin/{program}\"]");
        assert_eq!(instructions.last(), Some(&entry), "{program}");
    }
}

#[test]
fn images_end_as_the_user_that_the_cluster_asks_for() {
    for program in programs() {
        let instructions = instructions_of(&program);
        let user = instructions.iter().rfind(|line| line.starts_with("USER "));
        assert_eq!(user.map(String::as_str), Some("USER 10001:10001"), "{program}");
    }
    for object in OVERLAYS.iter().flat_map(|folder| objects(folder)).filter(|o| o.kind() == "Deployment") {
        assert_eq!(object.at("/spec/template/spec/securityContext/runAsUser"), 10001, "{}", object.title());
    }
}

#[test]
fn images_say_what_they_are_and_carry_what_must_go_with_them() {
    for program in programs() {
        let all = instructions_of(&program).join("\n");
        for label in ["title", "description", "version", "revision", "licenses", "base.name"] {
            assert!(all.contains(&format!("org.opencontainers.image.{label}=")), "{program} has no {label}");
        }
        assert!(all.contains("/assembled/doc /usr/share/doc/facereel"), "{program} carries no licences");
    }
}

#[test]
fn programs_that_open_videos_get_ffmpeg_and_those_that_run_models_get_them() {
    let has = |program: &str, what: &str| instructions_of(program).join("\n").contains(what);
    for program in programs() {
        let (ffmpeg, models) = match program.as_str() {
            "facereel" | "detector-svc" => (true, true),
            "embedder-svc" => (false, true),
            _ => (false, false),
        };
        assert_eq!(has(&program, "libavformat59"), ffmpeg, "{program}");
        assert_eq!(has(&program, "/assembled/models"), models, "{program}");
    }
}

#[test]
fn images_for_graphics_cards_are_the_others_and_what_a_card_needs() {
    for program in ["detector-svc", "embedder-svc"] {
        let (plain, for_cards) = (instructions_of(program), instructions_of(&format!("{program}-gpu")));
        let (same, added) = for_cards.split_at(plain.len());
        assert_eq!(same, plain);
        assert!(
            added.iter().all(|line| ["FROM ", "COPY ", "ENV "].iter().any(|start| line.starts_with(start)))
        );
        assert!(added.iter().any(|line| line.contains("FACEREEL__MODELS__ONNXRUNTIME=")), "{added:?}");
    }
}

#[test]
fn versions_agree_with_the_workspace() {
    let manifest = fs::read_to_string(repository::root().join("Cargo.toml")).expect("the workspace is there");
    let section = manifest.split("[workspace.package]").nth(1).expect("it says the version");
    let version = section.split("version = \"").nth(1).and_then(|rest| rest.split('"').next());
    let version = version.expect("the version stands in quotes");
    let mut seen = 0;
    for object in objects("overlays/dev") {
        for (_, image) in object.texts().iter().filter(|(_, text)| text.starts_with("facereel/")) {
            assert_eq!(image.rsplit(':').next(), Some(version), "{image}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

fn compose() -> Value {
    let mut compose: yaml_serde::Value =
        yaml_serde::from_str(&text("compose.yaml")).expect("compose is YAML");
    // Twice: what is merged has something merged into it.
    for _ in 0..2 {
        compose.apply_merge().expect("what is merged is a map");
    }
    serde_json::to_value(compose).expect("compose has text keys")
}

#[test]
fn compose_starts_the_services_and_what_they_need() {
    let compose = compose();
    let services = compose["services"].as_object().expect("compose lists services");
    let names: BTreeSet<_> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["broker", "detector", "embedder", "exporter", "facereel", "store", "tracker"].into());
    for (name, service) in services {
        let image = service["image"].as_str().unwrap_or_default();
        let version =
            image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, version)| version);
        assert!(version.is_some_and(|version| version != "latest"), "{name}: {image}");
        let test = &service["healthcheck"]["test"];
        let is_called = service["profiles"].is_array();
        assert!(is_called || test.is_array() || test.is_string(), "{name} is not probed");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().is_some_and(|port| port.starts_with("127.0.0.1:")), "{name}: {port}");
        }
    }
}

#[test]
fn compose_uses_the_same_servers_as_the_development_cluster() {
    let compose = compose();
    let objects = objects("overlays/dev");
    let image_of = |name: &str| {
        let pod = objects.iter().find(|o| o.kind() == "StatefulSet" && o.name() == name);
        pod.and_then(|pod| pod.containers().next()).map(|container| container.text("/image").to_owned())
    };
    assert_eq!(compose["services"]["broker"]["image"].as_str().map(str::to_owned), image_of("rabbitmq"));
    assert_eq!(compose["services"]["store"]["image"].as_str().map(str::to_owned), image_of("s3"));
}
