//! The policies in `deploy/s3` allow what the store asks for, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use facereel_domain::ids::{RunRef, SegmentIndex, TrackId};
use facereel_domain::layout::{EpisodeLayout, RunLayout};
use serde_json::Value;

/// Requests of the SDK and the action that a policy calls them.
const ACTIONS: [(&str, &str); 13] = [
    ("head_bucket", "s3:ListBucket"),
    ("list_objects_v2", "s3:ListBucket"),
    ("list_multipart_uploads", "s3:ListBucketMultipartUploads"),
    ("get_bucket_versioning", "s3:GetBucketVersioning"),
    ("head_object", "s3:GetObject"),
    ("get_object", "s3:GetObject"),
    ("put_object", "s3:PutObject"),
    ("create_multipart_upload", "s3:PutObject"),
    ("upload_part", "s3:PutObject"),
    ("complete_multipart_upload", "s3:PutObject"),
    ("abort_multipart_upload", "s3:AbortMultipartUpload"),
    ("delete_object", "s3:DeleteObject"),
    ("delete_objects", "s3:DeleteObject"),
];

/// Names of the requests that the store's sources make.
fn requests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/s3");
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("the store's sources") {
        let text = fs::read_to_string(entry.expect("a file").path()).expect("a text");
        let calls = text.split("client.").skip(1).filter_map(|rest| rest.split_once("()"));
        found.extend(calls.map(|(name, _)| name.to_owned()).filter(|name| name != "clone"));
    }
    found
}

/// Services, and operators of every day.
const SERVICES: &str = "policy.json";
/// Whoever erases.
const ERASER: &str = "eraser.json";

/// What a statement allows, and of what.
struct Statement {
    actions: Vec<String>,
    resources: Vec<String>,
}

fn statements(file: &str) -> Vec<Statement> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/s3").join(file);
    let policy: Value = serde_json::from_str(&fs::read_to_string(path).expect("the policy")).expect("JSON");
    let texts = |value: &Value| match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().expect("a text").to_owned()).collect(),
        one => vec![one.as_str().expect("a text").to_owned()],
    };
    let statement = |statement: &Value| {
        assert_eq!(statement["Effect"], "Allow");
        Statement { actions: texts(&statement["Action"]), resources: texts(&statement["Resource"]) }
    };
    policy["Statement"].as_array().expect("statements").iter().map(statement).collect()
}

/// The actions that are allowed on some resource with `word` in it.
fn allowed(file: &str, word: &str) -> BTreeSet<String> {
    let is_about = |statement: &Statement| statement.resources.iter().any(|resource| resource.contains(word));
    statements(file).into_iter().filter(is_about).flat_map(|statement| statement.actions).collect()
}

/// Whether `file` lets delete the object at `key`; `*` stands for any characters, slashes too.
fn lets_delete(file: &str, key: &str) -> bool {
    let name = format!("arn:aws:s3:::RESULTS-BUCKET/PREFIX/{key}");
    let fits = |pattern: &str| {
        let mut parts = pattern.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some((_, behind)) = rest.split_once(part) else { return false };
            rest = behind;
        }
        rest.ends_with(last)
    };
    let delete = "s3:DeleteObject".to_owned();
    statements(file)
        .iter()
        .any(|s| s.actions.contains(&delete) && s.resources.iter().any(|resource| fits(resource)))
}

#[test]
fn the_policies_allow_exactly_what_the_store_asks_for() {
    let known = |request: &String| ACTIONS.iter().find(|(name, _)| name == request);
    let requests = requests();
    let unknown: Vec<_> = requests.iter().filter(|request| known(request).is_none()).collect();
    assert!(unknown.is_empty(), "which actions are {unknown:?}?");
    assert_eq!(requests.len(), ACTIONS.len(), "{requests:?}");
    let needed: BTreeSet<_> = ACTIONS.iter().map(|(_, action)| (*action).to_owned()).collect();
    assert_eq!(allowed(ERASER, "RESULTS-BUCKET"), needed);
    // Only erasing asks whether what is deleted is gone.
    let of_services = needed.into_iter().filter(|action| action != "s3:GetBucketVersioning").collect();
    assert_eq!(allowed(SERVICES, "RESULTS-BUCKET"), of_services);
}

#[test]
fn services_may_delete_what_lies_between_the_stages_and_no_result() {
    let run = RunRef {
        ep_id: "TEST-S01E01".parse().expect("an id"),
        run_id: "0123456789abcdef".parse().expect("an id"),
    };
    let layout = RunLayout::new(&run);
    let results = [
        EpisodeLayout::new(&run.ep_id).current(),
        layout.manifest(),
        layout.detections_jsonl(),
        layout.tracks_jsonl(),
        layout.faces_jsonl(),
        layout.track_metrics(),
        layout.faces_npy(),
        layout.crop(TrackId(1), 6).0,
        layout.crop_index(TrackId(1)),
        layout.erasure_begun(1),
        layout.erasure_done(1),
        layout.request(),
    ];
    for key in results {
        assert!(!lets_delete(SERVICES, key.as_str()), "services may delete {key}");
        assert!(lets_delete(ERASER, key.as_str()), "the eraser may not delete {key}");
    }
    let others = [layout.plan(), layout.chip_pack(SegmentIndex(0)), layout.error(), layout.cancelled()];
    for key in others {
        assert!(lets_delete(SERVICES, key.as_str()), "services may not delete {key}");
        assert!(lets_delete(ERASER, key.as_str()), "the eraser may not delete {key}");
    }
}

#[test]
fn videos_are_never_written() {
    let reading = BTreeSet::from(["s3:GetObject", "s3:ListBucket"].map(str::to_owned));
    assert_eq!(allowed(SERVICES, "VIDEOS-BUCKET"), reading);
    assert_eq!(allowed(ERASER, "VIDEOS-BUCKET"), BTreeSet::new());
}

#[test]
fn what_concerns_the_bucket_and_what_concerns_objects_is_kept_apart() {
    for Statement { actions, resources } in [SERVICES, ERASER].into_iter().flat_map(statements) {
        let concerns_objects = resources.iter().all(|resource| resource.contains('/'));
        let concerns_buckets = resources.iter().all(|resource| !resource.contains('/'));
        let asks_buckets = actions.iter().all(|action| action.contains("List") || action.contains("Bucket"));
        assert!(concerns_objects != concerns_buckets && concerns_buckets == asks_buckets, "{actions:?}");
    }
}
