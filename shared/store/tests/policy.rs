//! The policy in `deploy/s3` allows what the store asks for, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Requests of the SDK and the action that a policy calls them.
const ACTIONS: [(&str, &str); 12] = [
    ("head_bucket", "s3:ListBucket"),
    ("list_objects_v2", "s3:ListBucket"),
    ("list_multipart_uploads", "s3:ListBucketMultipartUploads"),
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

fn policy() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/s3/policy.json");
    serde_json::from_str(&fs::read_to_string(file).expect("the policy")).expect("JSON")
}

/// The actions that statements about a resource with `word` in it allow.
fn allowed(word: &str) -> BTreeSet<String> {
    let policy = policy();
    let statements = policy["Statement"].as_array().expect("statements").iter();
    let about = statements.filter(|s| s["Resource"].as_str().expect("one resource").contains(word));
    let actions = about.flat_map(|s| {
        assert_eq!(s["Effect"], "Allow");
        match &s["Action"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        }
    });
    actions.map(|action| action.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_policy_allows_exactly_what_the_store_asks_for() {
    let known = |request: &String| ACTIONS.iter().find(|(name, _)| name == request);
    let requests = requests();
    let unknown: Vec<_> = requests.iter().filter(|request| known(request).is_none()).collect();
    assert!(unknown.is_empty(), "which actions are {unknown:?}?");
    assert_eq!(requests.len(), ACTIONS.len(), "{requests:?}");
    let needed: BTreeSet<_> = ACTIONS.iter().map(|(_, action)| (*action).to_owned()).collect();
    assert_eq!(allowed("RESULTS-BUCKET"), needed);
}

#[test]
fn videos_are_never_written() {
    assert_eq!(
        allowed("VIDEOS-BUCKET"),
        BTreeSet::from(["s3:GetObject", "s3:ListBucket"].map(str::to_owned))
    );
}

#[test]
fn what_concerns_the_bucket_and_what_concerns_objects_is_kept_apart() {
    for statement in policy()["Statement"].as_array().expect("statements") {
        let concerns_objects = statement["Resource"].as_str().expect("one resource").ends_with("/*");
        let lists = statement["Action"].to_string().contains("s3:List");
        assert_eq!(concerns_objects, !lists, "{statement}");
    }
}
