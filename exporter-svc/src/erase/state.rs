//! What a run's commit and its records of erasures say.

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_store::{Store, if_there};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::EraseError;
use super::record::{ErasureDone, ErasureRecord, Recorded};
use super::remains::{Remains, remains};
use crate::commit::{Artifact, ManifestCounts};
use crate::manifests::SCHEMA_VERSION;

/// A finished run and its erasures.
#[derive(Debug, Clone)]
pub struct RunState {
    /// Episode and run.
    pub run: RunRef,
    /// Digest of its commit.
    pub manifest_sha256: Sha256Digest,
    /// Its erasures, in order.
    pub records: Vec<Recorded>,
    /// What it still has.
    pub remains: Remains,
}

/// What is needed of the commit: runs of other versions, with other settings, can be erased too.
#[derive(Deserialize)]
struct Commit {
    schema_version: u32,
    counts: ManifestCounts,
    artifacts: Vec<Artifact>,
}

impl RunState {
    /// Reads commit and records.
    pub async fn read(store: &dyn Store, run: &RunRef) -> Result<Self, EraseError> {
        let layout = RunLayout::new(run);
        let manifest = if_there(store.get(&layout.manifest()).await)?;
        let manifest = manifest.ok_or_else(|| EraseError::NotFinished(run.clone()))?;
        let commit: Commit = parse(&layout, &layout.manifest(), &manifest)?;
        if commit.schema_version != SCHEMA_VERSION {
            return Err(unusable(&layout, &layout.manifest(), "it is of another version"));
        }
        let manifest_sha256 = Sha256Digest::of(&manifest);
        let records = read_records(store, run, manifest_sha256).await?;
        let remains = remains(&commit.artifacts, commit.counts, &records);
        Ok(Self { run: run.clone(), manifest_sha256, records, remains })
    }

    /// The erasure that was begun and not finished.
    #[must_use]
    pub fn unfinished(&self) -> Option<&Recorded> {
        self.records.iter().find(|recorded| recorded.done.is_none())
    }
}

/// The erasures of the run whose commit has this digest, in order; an error where one does not fit.
pub async fn read_records(
    store: &dyn Store,
    run: &RunRef,
    manifest_sha256: Sha256Digest,
) -> Result<Vec<Recorded>, EraseError> {
    let layout = RunLayout::new(run);
    let mut records = Vec::new();
    for number in 1.. {
        let key = layout.erasure_begun(number);
        let Some(begun) = if_there(store.get(&key).await)? else { break };
        let record: ErasureRecord = parse(&layout, &key, &begun)?;
        let fits = (record.schema_version, &record.run, record.number) == (SCHEMA_VERSION, run, number);
        if !fits || record.manifest_sha256 != manifest_sha256 {
            return Err(unusable(&layout, &key, "it is the record of another run, erasure or version"));
        }
        let key = layout.erasure_done(number);
        let done = match if_there(store.get(&key).await)? {
            None => None,
            Some(bytes) => Some(parse::<ErasureDone>(&layout, &key, &bytes)?),
        };
        if done.as_ref().is_some_and(|done| done.begun_sha256 != Sha256Digest::of(&begun)) {
            return Err(unusable(&layout, &key, "it does not belong to the record beside it"));
        }
        records.push(Recorded { record, done });
    }
    Ok(records)
}

fn parse<T: DeserializeOwned>(layout: &RunLayout, key: &ObjectKey, bytes: &[u8]) -> Result<T, EraseError> {
    serde_json::from_slice(bytes).map_err(|error| unusable(layout, key, &error.to_string()))
}

fn unusable(layout: &RunLayout, key: &ObjectKey, why: &str) -> EraseError {
    EraseError::Unusable { path: layout.relative(key), why: why.to_owned() }
}
