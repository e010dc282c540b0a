//! From an order to the record of what it takes. Reads; changes nothing.

use std::collections::BTreeSet;

use bytes::Bytes;
use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::TrackId;
use facereel_domain::layout::RunLayout;
use facereel_store::{Store, if_there};

use super::carry_out::takes;
use super::record::{ErasureRecord, ZeroedRows};
use super::remains::Extent;
use super::rewrite::{Cut, count_rows, rewritten, rows_of_vectors, shared_files};
use super::state::RunState;
use super::{EraseError, Order, Scope};
use crate::commit::{Artifact, ManifestCounts};
use crate::manifests::SCHEMA_VERSION;

/// What is left to do of `order`; nothing where all of it was erased before.
pub(super) async fn plan(
    store: &dyn Store,
    state: &RunState,
    order: &Order,
) -> Result<Option<ErasureRecord>, EraseError> {
    let Some(scope) = what_is_left(state, &order.scope)? else { return Ok(None) };
    let layout = RunLayout::new(&state.run);
    let paths = state.remains.artifacts.iter().map(|artifact| artifact.path.clone());
    let removed: Vec<String> = paths.filter(|path| takes(&scope, &layout, path)).collect();
    let blank = ErasureRecord {
        schema_version: SCHEMA_VERSION,
        run: state.run.clone(),
        number: state.records.len() as u32 + 1,
        manifest_sha256: state.manifest_sha256,
        tracks: None,
        reason: order.reason.clone(),
        begun_unix_sec: (order.clock)(),
        removed,
        replaced: Vec::new(),
        zeroed_rows: ZeroedRows::default(),
        counts: emptied(state.remains.counts),
    };
    match scope {
        Scope::Run => Ok(Some(blank)),
        Scope::Tracks(tracks) => of_tracks(store, state, (blank, &tracks)).await.map(Some),
    }
}

/// The order without what was erased before.
fn what_is_left(state: &RunState, wanted: &Scope) -> Result<Option<Scope>, EraseError> {
    let Scope::Tracks(wanted) = wanted else {
        return Ok((state.remains.extent != Extent::Run).then_some(Scope::Run));
    };
    let path = RunLayout::new(&state.run);
    let path = path.relative(&path.tracks_jsonl());
    let rows = state.remains.artifacts.iter().find(|artifact| artifact.path == path).and_then(|a| a.rows);
    // Where all is erased there is no list of tracks any more, and nothing to do whichever are named.
    let Some(tracks) = rows else { return Ok(None) };
    if let Some(track) = wanted.iter().find(|track| track.0 == 0 || u64::from(track.0) > tracks) {
        return Err(EraseError::NoSuchTrack { track: *track, tracks });
    }
    let left: BTreeSet<TrackId> =
        wanted.iter().copied().filter(|track| !state.remains.extent.holds(*track)).collect();
    Ok((!left.is_empty()).then_some(Scope::Tracks(left)))
}

/// Counts of a run without faces.
fn emptied(counts: ManifestCounts) -> ManifestCounts {
    ManifestCounts { detections: 0, tracks: 0, faces: 0, embeddings: 0, crops: 0, ..counts }
}

async fn of_tracks(
    store: &dyn Store,
    state: &RunState,
    (blank, tracks): (ErasureRecord, &BTreeSet<TrackId>),
) -> Result<ErasureRecord, EraseError> {
    let layout = RunLayout::new(&state.run);
    let mut zeroed_rows = ZeroedRows::default();
    for (key, rows) in
        [(layout.faces_jsonl(), &mut zeroed_rows.faces), (layout.tracks_jsonl(), &mut zeroed_rows.tracks)]
    {
        let path = layout.relative(&key);
        let (_, bytes) = read(store, state, &path).await?;
        *rows = rows_of_vectors(&bytes, tracks).map_err(|spoilt| damaged(&path, &spoilt))?;
    }
    let cut = Cut { tracks, rows: &zeroed_rows };
    let mut replaced = Vec::new();
    let mut counts = state.remains.counts;
    counts.tracks = counts.tracks.saturating_sub(tracks.len() as u64);
    counts.embeddings = counts.embeddings.saturating_sub(zeroed_rows.faces.len() as u64);
    let crops = blank.removed.iter().filter(|path| !path.ends_with("/index.json")).count() as u64;
    counts.crops = counts.crops.saturating_sub(crops);
    for path in shared_files(&layout) {
        let (artifact, bytes) = read(store, state, &path).await?;
        let after = rewritten(&path, &bytes, cut).map_err(|spoilt| damaged(&path, &spoilt))?;
        let is_rows = path.starts_with("manifests/");
        let rows = if is_rows { Some(count_rows(&after)) } else { artifact.rows };
        let gone = artifact.rows.zip(rows).map_or(0, |(before, after)| before - after);
        match path.as_str() {
            "manifests/detections.jsonl" => counts.detections = counts.detections.saturating_sub(gone),
            "manifests/faces.jsonl" => counts.faces = counts.faces.saturating_sub(gone),
            _ => {}
        }
        if after != bytes {
            replaced.push(Artifact { rows, ..Artifact::of(path, &after) });
        }
    }
    Ok(ErasureRecord {
        tracks: Some(tracks.iter().copied().collect()),
        replaced,
        zeroed_rows,
        counts,
        ..blank
    })
}

/// A file as the commit, or the last erasure, left it.
async fn read<'a>(
    store: &dyn Store,
    state: &'a RunState,
    path: &str,
) -> Result<(&'a Artifact, Bytes), EraseError> {
    let missing = || damaged(path, &"is missing");
    let artifact = state.remains.artifacts.iter().find(|artifact| artifact.path == path);
    let artifact = artifact.ok_or_else(missing)?;
    let key = RunLayout::new(&state.run).artifact(path).ok_or_else(missing)?;
    let bytes = if_there(store.get(&key).await)?.ok_or_else(missing)?;
    if Sha256Digest::of(&bytes) != artifact.sha256 {
        return Err(damaged(path, &"has another digest than the commit says"));
    }
    Ok((artifact, bytes))
}

fn damaged(path: &str, what: &dyn std::fmt::Display) -> EraseError {
    EraseError::Damaged { path: path.to_owned(), what: what.to_string() }
}
