//! The schemas in `docs/schemas` say what is written: every field, and no other.

use std::fs;
use std::path::PathBuf;

use facereel_messages::objects::Untracked;
use jsonschema::Validator;
use rstest::rstest;
use serde_json::{Value, json};

use crate::damage::Run;

fn schema(name: &str) -> Value {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../docs/schemas"].iter().collect();
    let path = folder.join(format!("{name}.schema.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn assert_fits(validator: &Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{value:#}: {errors:#?}");
}

/// The values in a file: its lines, or itself.
async fn values(run: &Run, path: &str) -> Vec<Value> {
    let bytes = run.read(path).await;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    if path.ends_with(".jsonl") {
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    } else {
        vec![serde_json::from_slice(&bytes).unwrap()]
    }
}

#[rstest]
#[case("erasure-begun", "erasures/0001-begun.json")]
#[case("erasure-done", "erasures/0001-done.json")]
#[case("tracks-row-erased", "manifests/tracks.jsonl")]
#[tokio::test]
async fn what_an_erasure_writes_fits_its_schema(#[case] name: &str, #[case] path: &str) {
    let validator = jsonschema::draft202012::new(&schema(name)).unwrap();
    let value = values(&Run::without_its_first_track().await, path).await.swap_remove(0);
    assert_fits(&validator, &value);
    let mut more = value;
    more["surprise"] = json!(1);
    assert!(!validator.is_valid(&more), "there may be other fields");
}

#[rstest]
#[case("detections-row", "manifests/detections.jsonl")]
#[case("tracks-row", "manifests/tracks.jsonl")]
#[case("faces-row", "manifests/faces.jsonl")]
#[case("shots-row", "manifests/shots.jsonl")]
#[case("track-metrics", "manifests/track_metrics.json")]
#[case("crop-index", "frames/crops/track_0001/index.json")]
#[case("manifest", "manifest.json")]
#[case("current", "current.json")]
#[tokio::test]
async fn what_is_written_fits_its_schema_and_more_or_less_would_not(#[case] name: &str, #[case] path: &str) {
    let validator = jsonschema::draft202012::new(&schema(name)).unwrap();
    let values = values(&Run::good().await, path).await;
    assert!(!values.is_empty());
    for value in &values {
        assert_fits(&validator, value);
    }
    let fields = values[0].as_object().unwrap();
    for field in fields.keys() {
        let mut less = values[0].clone();
        less.as_object_mut().unwrap().shift_remove(field);
        assert!(!validator.is_valid(&less), "{field} may be absent");
    }
    let mut more = values[0].clone();
    more["surprise"] = json!(1);
    assert!(!validator.is_valid(&more), "there may be other fields");
}

#[test]
fn the_example_rows_of_the_documentation_fit_their_schemas() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../docs/stored-objects.md"].iter().collect();
    let text = fs::read_to_string(path).unwrap();
    let mut examples = 0;
    // A section names its schema in the heading; its first example is a value of that.
    for section in text.split("\n### ").skip(1) {
        let Some((_, example)) = section.split_once("```json\n") else { continue };
        let (_, name) = section.split_once("(schemas/").unwrap();
        let name = name.split_once(".schema.json").unwrap().0;
        let value = serde_json::from_str(example.split_once("\n```").unwrap().0).unwrap();
        assert_fits(&jsonschema::draft202012::new(&schema(name)).unwrap(), &value);
        examples += 1;
    }
    assert_eq!(examples, 5);
}

/// The reason after this one; a reason that is added must find its place here before this compiles.
fn next_reason(reason: Untracked) -> Option<Untracked> {
    match reason {
        Untracked::TooSmall => Some(Untracked::LowConfidence),
        Untracked::LowConfidence => Some(Untracked::NoTrack),
        Untracked::NoTrack => Some(Untracked::TrackTooShort),
        Untracked::TrackTooShort => Some(Untracked::TrackUnsure),
        Untracked::TrackUnsure => Some(Untracked::SplitTooShort),
        Untracked::SplitTooShort => None,
    }
}

#[test]
fn every_reason_for_having_no_track_is_in_the_schema() {
    let reasons: Vec<Value> = std::iter::successors(Some(Untracked::TooSmall), |r| next_reason(*r))
        .map(|reason| reason.as_str().into())
        .chain([Value::Null])
        .collect();
    assert_eq!(schema("detections-row")["properties"]["untracked"]["enum"], Value::Array(reasons));
}

/// Wherever a schema describes an object with fields: no others are allowed, none may be absent, each has a
/// description.
fn check_objects(schema: &Value, place: &str) {
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        assert_eq!(schema["additionalProperties"], json!(false), "{place}");
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(schema["required"], json!(names), "{place}");
        for (name, field) in fields {
            let described = field["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{place}.{name} has no description");
        }
    }
    let children: Vec<(String, &Value)> = match schema {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().map(|value| ("[]".to_owned(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in children {
        check_objects(value, &format!("{place}.{name}"));
    }
}

#[rstest]
#[case("detections-row")]
#[case("tracks-row")]
#[case("faces-row")]
#[case("shots-row")]
#[case("track-metrics")]
#[case("crop-index")]
#[case("manifest")]
#[case("current")]
#[case("settings")]
#[case("run-stats")]
#[case("progress")]
#[case("erasure-begun")]
#[case("erasure-done")]
#[case("tracks-row-erased")]
fn every_field_is_described_and_every_object_is_closed(#[case] name: &str) {
    let schema = schema(name);
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name} is no schema");
    check_objects(&schema, name);
}
