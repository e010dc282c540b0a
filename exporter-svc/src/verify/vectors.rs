//! The `.npy` files: as many rows as the manifests refer to, all of the same length, all unit vectors.

use facereel_domain::layout::ObjectKey;
use facereel_store::StoreError;

use super::Contents;
use super::artifacts::RunFiles;
use super::faces;
use crate::npy;

/// How far a vector's length may be from 1.
const LENGTH_TOLERANCE: f64 = 0.01;

/// `faces.npy`; returns how long its vectors are.
pub(super) async fn check_faces(
    contents: &Contents,
    files: &mut RunFiles<'_>,
) -> Result<Option<usize>, StoreError> {
    let expected = contents.faces.as_deref().map(faces::embedded);
    let key = files.layout.faces_npy();
    check(&key, (expected, "faces.jsonl"), files).await
}

/// `tracks.npy`, whose vectors are as long as those of `faces.npy`.
pub(super) async fn check_tracks(
    contents: &Contents,
    faces_dim: Option<usize>,
    files: &mut RunFiles<'_>,
) -> Result<(), StoreError> {
    let with_vector = |tracks: &Vec<crate::manifests::TrackRow>| {
        tracks.iter().filter(|track| track.embedding_row.is_some()).count() as u64
    };
    let expected = contents.tracks.as_ref().map(with_vector);
    let key = files.layout.tracks_npy();
    let dim = check(&key, (expected, "tracks.jsonl"), files).await?;
    if let Some((dim, faces_dim)) = dim.zip(faces_dim).filter(|(tracks, faces)| tracks != faces) {
        let what = format!("its vectors have {dim} numbers, those of faces.npy {faces_dim}");
        files.problems.add(&files.layout.relative(&key), what);
    }
    Ok(())
}

async fn check(
    key: &ObjectKey,
    (expected, manifest): (Option<u64>, &str),
    files: &mut RunFiles<'_>,
) -> Result<Option<usize>, StoreError> {
    let path = files.layout.relative(key);
    let Some(bytes) = files.read(&path).await? else { return Ok(None) };
    let matrix = match npy::decode(&bytes) {
        Ok(matrix) => matrix,
        Err(error) => {
            files.problems.add(&path, format!("it can't be read: {error}"));
            return Ok(None);
        }
    };
    let rows = matrix.rows.len();
    files.checked.vectors += rows as u64;
    files.check_rows(&path, rows);
    if let Some(expected) = expected.filter(|expected| *expected != rows as u64) {
        files.problems.add(&path, format!("it has {rows} vectors, {manifest} refers to {expected}"));
    }
    for (row, vector) in matrix.rows.iter().enumerate() {
        let length = vector.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        // A length that is no number is in no range.
        if !(1.0 - LENGTH_TOLERANCE..=1.0 + LENGTH_TOLERANCE).contains(&length) {
            files.problems.add(&path, format!("row {row} has length {length:.4}, not 1"));
        }
    }
    Ok(Some(matrix.columns))
}
