//! The formats as they are documented.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Insists that `value` is as `docs/schemas/{name}.schema.json` says.
///
/// # Panics
///
/// Where it is not, or the schema can't be used.
pub fn assert_fits(name: &str, value: &Value) {
    let file = format!("../docs/schemas/{name}.schema.json");
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), &file].iter().collect();
    let schema = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = serde_json::from_slice(&schema).expect("a schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema that can be used");
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {value:#}: {errors:#?}");
}
