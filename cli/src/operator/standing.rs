//! Where a run stands, as the objects beside its artifacts tell.

use anyhow::{Context as _, Result};
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_service::cancel::Cancellation;
use facereel_store::{Store, if_there};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::submission::Submission;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It is committed.
    Done,
    /// Somebody cancelled it.
    Cancelled(Cancellation),
    /// One of its jobs failed for good.
    Failed(Failure),
    /// Its jobs are in the queues.
    Submitted(Submission),
    /// It was never handed to the queues, or handing it over was interrupted.
    New,
}

/// Why a run failed: the content of `error.json`. What is not there is empty, so that notes of other versions can be
/// shown too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    /// The stage.
    pub(crate) stage: String,
    /// The part of the run.
    pub(crate) part: String,
    /// Why, with causes.
    pub(crate) reason: String,
}

impl Standing {
    /// The state in a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Cancelled(_) => "cancelled",
            Self::Failed(_) => "failed",
            Self::Submitted(_) => "submitted",
            Self::New => "new",
        }
    }

    /// Whether nothing happens to the run any more until somebody asks for it again.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Done | Self::Cancelled(_) | Self::Failed(_))
    }
}

/// Reads where `run` stands. A commit outweighs everything: late jobs may leave notes beside it.
pub(crate) async fn standing(store: &dyn Store, run: &RunRef) -> Result<Standing> {
    let layout = RunLayout::new(run);
    if store.head(&layout.manifest()).await?.is_some() {
        return Ok(Standing::Done);
    }
    if let Some(cancellation) = read_json(store, &layout.cancelled()).await? {
        return Ok(Standing::Cancelled(cancellation));
    }
    if let Some(failure) = read_json(store, &layout.error()).await? {
        return Ok(Standing::Failed(failure));
    }
    let submission = read_json(store, &layout.submission()).await?;
    Ok(submission.map_or(Standing::New, Standing::Submitted))
}

/// The JSON object at `key`, where there is one.
pub(super) async fn read_json<T: DeserializeOwned>(store: &dyn Store, key: &ObjectKey) -> Result<Option<T>> {
    let Some(bytes) = if_there(store.get(key).await)? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes);
    value.map(Some).with_context(|| format!("{}/{key} is damaged: look at it, then delete it", store.url()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use bytes::Bytes;
    use facereel_store::MemoryStore;

    /// A run of episode `ep_id`.
    pub(in crate::operator) fn run(ep_id: &str) -> RunRef {
        RunRef { ep_id: ep_id.parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() }
    }

    /// Writes `text` at `key`.
    pub(in crate::operator) async fn put(store: &dyn Store, key: &ObjectKey, text: &str) {
        store.put(key, Bytes::copy_from_slice(text.as_bytes())).await.unwrap();
    }

    #[tokio::test]
    async fn a_run_goes_from_new_to_done_whatever_was_noted_on_the_way() {
        let (store, run) = (MemoryStore::default(), run("EP"));
        let layout = RunLayout::new(&run);
        let mut words = vec![standing(&store, &run).await.unwrap().word()];
        for (key, text) in [
            (layout.submission(), r#"{"schema_version":1,"lane":"backfill","submitted_unix_sec":7}"#),
            (layout.error(), r#"{"schema_version":1,"stage":"plan","part":"all","reason":"no frames"}"#),
            (layout.cancelled(), r#"{"schema_version":1,"cancelled_unix_sec":8}"#),
            (layout.manifest(), "{}"),
        ] {
            put(&store, &key, text).await;
            words.push(standing(&store, &run).await.unwrap().word());
        }
        assert_eq!(words, ["new", "submitted", "failed", "cancelled", "done"]);
    }

    #[tokio::test]
    async fn a_note_that_can_t_be_read_says_where_it_lies() {
        let (store, run) = (MemoryStore::default(), run("EP"));
        put(&store, &RunLayout::new(&run).error(), "}").await;
        let error = standing(&store, &run).await.unwrap_err().to_string();
        assert!(error.contains("error.json is damaged"), "{error}");
    }
}
