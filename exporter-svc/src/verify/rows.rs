//! Bytes to rows: every line must be a row of the known version, of this episode.

use facereel_domain::layout::ObjectKey;
use facereel_store::StoreError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::artifacts::RunFiles;
use super::problems::Problems;
use crate::manifests::{CropIndex, DetectionRow, FaceRow, SCHEMA_VERSION, ShotRow, TrackRow};
use crate::metrics::TrackMetrics;

/// A row or file that says of which version and episode it is.
pub(super) trait Stamped: DeserializeOwned {
    /// Version and episode.
    fn stamp(&self) -> (u32, &str);
}

macro_rules! stamped {
    ($($kind:ty),*) => {
        $(impl Stamped for $kind {
            fn stamp(&self) -> (u32, &str) {
                (self.schema_version, &self.ep_id)
            }
        })*
    };
}

stamped!(CropIndex, DetectionRow, FaceRow, ShotRow, TrackMetrics, TrackRow);

/// The rows of a `.jsonl` file; `None` where a line is no row, as comparing the others would only add noise.
pub(super) async fn read<T: Stamped>(
    files: &mut RunFiles<'_>,
    key: &ObjectKey,
) -> Result<Option<Vec<T>>, StoreError> {
    let path = files.layout.relative(key);
    let Some(bytes) = files.read(&path).await? else { return Ok(None) };
    let ep_id = files.run.ep_id.as_str();
    let rows = parse_lines(&path, (&bytes, ep_id), &mut files.problems);
    if let Some(rows) = &rows {
        files.check_rows(&path, rows.len());
    }
    Ok(rows)
}

/// A stamped JSON file, compared with version and episode.
pub(super) async fn read_stamped<T: Stamped>(
    files: &mut RunFiles<'_>,
    path: &str,
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = files.read(path).await? else { return Ok(None) };
    let Some(file) = parse_file::<T>(path, &bytes, &mut files.problems) else { return Ok(None) };
    if let Some(what) = wrong_stamp(&file, files.run.ep_id.as_str()) {
        files.problems.add(path, what);
    }
    Ok(Some(file))
}

/// A JSON file; `None` where it is none, which is then among the problems.
pub(super) fn parse_file<T: DeserializeOwned>(
    path: &str,
    bytes: &[u8],
    problems: &mut Problems,
) -> Option<T> {
    serde_json::from_slice(bytes).map_err(|error| problems.add(path, unreadable(bytes, &error))).ok()
}

fn parse_lines<T: Stamped>(
    path: &str,
    (bytes, ep_id): (&[u8], &str),
    problems: &mut Problems,
) -> Option<Vec<T>> {
    let Some(text) = bytes.strip_suffix(b"\n") else {
        if bytes.is_empty() {
            return Some(Vec::new());
        }
        problems.add(path, "its last line does not end: it was cut off");
        return None;
    };
    let mut rows = Vec::new();
    let mut all_good = true;
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let wrong = match serde_json::from_slice::<T>(line) {
            Ok(row) => {
                let wrong = wrong_stamp(&row, ep_id);
                rows.push(row);
                wrong
            }
            Err(error) => Some(unreadable(line, &error)),
        };
        if let Some(what) = wrong {
            problems.at_line(path, number + 1, what);
            all_good = false;
        }
    }
    all_good.then_some(rows)
}

fn wrong_stamp<T: Stamped>(value: &T, ep_id: &str) -> Option<String> {
    match value.stamp() {
        (version, _) if version != SCHEMA_VERSION => Some(unknown_version(u64::from(version))),
        (_, named) if named != ep_id => Some(format!("it is of episode '{named}', not of '{ep_id}'")),
        _ => None,
    }
}

/// Why bytes can't be read: of another version if they say so, else what the parser says.
fn unreadable(bytes: &[u8], error: &serde_json::Error) -> String {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    match serde_json::from_slice::<Version>(bytes) {
        Ok(Version { schema_version }) if schema_version != u64::from(SCHEMA_VERSION) => {
            unknown_version(schema_version)
        }
        _ => format!("it can't be read: {error}"),
    }
}

/// What is wrong with a version that is not the known one.
pub(super) fn unknown_version(version: u64) -> String {
    format!("schema_version {version} is unknown to this program, which reads {SCHEMA_VERSION}")
}
