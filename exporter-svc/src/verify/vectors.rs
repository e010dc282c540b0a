//! The `.npy` files: as many rows as the manifests refer to, all of the same length, all unit vectors.

use std::collections::BTreeSet;

use facereel_domain::layout::ObjectKey;
use facereel_store::StoreError;

use super::Contents;
use super::artifacts::RunFiles;
use crate::erase::Extent;
use crate::manifests::{FaceRow, TrackRow};
use crate::npy;

/// How far a vector's length may be from 1.
const LENGTH_TOLERANCE: f64 = 0.01;

/// The numbers of rows as a manifest gives them, one after another.
pub(super) struct Vectors {
    next: u64,
    has_gaps: bool,
}

impl Vectors {
    pub(super) fn of(extent: &Extent) -> Self {
        Self { next: 0, has_gaps: *extent != Extent::Nothing }
    }

    /// What is wrong with the place of the next `row`: they run from 0 without gaps, but for what was erased.
    pub(super) fn wrong_place(&mut self, row: u64) -> Option<String> {
        let expected = self.next;
        self.next = row.max(expected).saturating_add(1);
        let is_wrong = if self.has_gaps { row < expected } else { row != expected };
        is_wrong.then(|| format!("embedding_row is {row}, by its place it is {expected}"))
    }
}

/// `faces.npy`; returns how long its vectors are.
pub(super) async fn check_faces(
    contents: &Contents,
    files: &mut RunFiles<'_>,
) -> Result<Option<usize>, StoreError> {
    let rows = |faces: &Vec<FaceRow>| faces.iter().filter_map(|face| face.embedding_row).collect();
    let expected = contents.faces.as_ref().map(rows);
    let key = files.layout.faces_npy();
    check(&key, (expected, "faces.jsonl"), files).await
}

/// `tracks.npy`, whose vectors are as long as those of `faces.npy`.
pub(super) async fn check_tracks(
    contents: &Contents,
    faces_dim: Option<usize>,
    files: &mut RunFiles<'_>,
) -> Result<(), StoreError> {
    let rows = |tracks: &Vec<TrackRow>| tracks.iter().filter_map(|track| track.embedding_row).collect();
    let expected = contents.tracks.as_ref().map(rows);
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
    (referred_to, manifest): (Option<BTreeSet<u64>>, &str),
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
    let has_gaps = *files.extent != Extent::Nothing;
    if let Some(referred_to) = &referred_to {
        let expected = referred_to.len();
        let are_there = referred_to.last().is_none_or(|last| *last < rows as u64);
        if if has_gaps { !are_there } else { expected != rows } {
            files.problems.add(&path, format!("it has {rows} vectors, {manifest} refers to {expected}"));
        }
    }
    for (row, vector) in matrix.rows.iter().enumerate() {
        // What nobody refers to was erased.
        if has_gaps && referred_to.as_ref().is_some_and(|rows| !rows.contains(&(row as u64))) {
            if vector.iter().any(|value| value.to_bits() != 0) {
                files.problems.add(&path, format!("row {row} was erased, and is no row of zeros"));
            }
            continue;
        }
        let length = vector.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        // A length that is no number is in no range.
        if !(1.0 - LENGTH_TOLERANCE..=1.0 + LENGTH_TOLERANCE).contains(&length) {
            files.problems.add(&path, format!("row {row} has length {length:.4}, not 1"));
        }
    }
    Ok(Some(matrix.columns))
}
