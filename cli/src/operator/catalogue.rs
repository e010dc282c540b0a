//! What a backfill is about: every video looked at, and where its run stands.

use std::sync::Arc;

use anyhow::Result;
use detector_svc::{SourceError, SourceErrorKind, Sources};
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_store::Store;
use facereel_video_decode::DecodeError;
use serde::Serialize;

use super::entries::Entry;
use super::side_by_side::side_by_side;
use super::standing::{Standing, standing};
use crate::request::{Asked, Recipe};

/// A video that can be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Its run.
    pub(crate) asked: Asked,
    /// Where the run stands.
    pub(crate) standing: Standing,
}

impl Candidate {
    /// The run.
    pub(crate) fn run(&self) -> &RunRef {
        &self.asked.request.run
    }

    /// Bytes of the video.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.asked.request.source.identity.size_bytes
    }
}

/// A video that can't be asked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refused {
    /// The episode that it would be.
    pub(crate) ep_id: EpisodeId,
    /// Its path or URL.
    pub(crate) video: String,
    /// Why not.
    pub(crate) reason: String,
}

/// All videos of a backfill, in their order.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    /// Those that can be asked for.
    pub(crate) candidates: Vec<Candidate>,
    /// Those that can't.
    pub(crate) refused: Vec<Refused>,
}

/// Which runs are handed over, beside new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// No others.
    New,
    /// Those that failed or were cancelled.
    Ended,
    /// Those, and finished ones, which are deleted first.
    All,
}

/// What is to be done about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is handed over.
    Submit,
    /// What it left is deleted, then it is handed over.
    Redo,
    /// It is under way: its end is waited for.
    Watch,
    /// Nothing.
    Leave,
}

impl Selection {
    /// What is to be done about a run that stands so. One that is under way is left to its workers in any case.
    pub(crate) fn action(self, standing: &Standing) -> Action {
        match (standing, self) {
            (Standing::New, _) | (Standing::Failed(_) | Standing::Cancelled(_), Self::Ended | Self::All) => {
                Action::Submit
            }
            (Standing::Submitted(_), _) => Action::Watch,
            (Standing::Done, Self::All) => Action::Redo,
            _ => Action::Leave,
        }
    }
}

impl Catalogue {
    /// Looks at every video and at its run. A video that can't be read is noted; a server that does not answer ends it.
    pub(crate) async fn of(
        entries: Vec<Entry>,
        (recipe, sources): (&Arc<Recipe>, &Sources),
        store: &Arc<dyn Store>,
    ) -> Result<Self> {
        let looked_at = side_by_side(entries, |entry| {
            let (recipe, sources, store) = (Arc::clone(recipe), sources.clone(), Arc::clone(store));
            async move { look_at(entry, (&recipe, &sources), store.as_ref()).await }
        });
        let mut catalogue = Self::default();
        for found in looked_at.await? {
            match found {
                Ok(candidate) => catalogue.candidates.push(candidate),
                Err(refused) => catalogue.refused.push(refused),
            }
        }
        Ok(catalogue)
    }
}

async fn look_at(
    entry: Entry,
    (recipe, sources): (&Recipe, &Sources),
    store: &dyn Store,
) -> Result<Result<Candidate, Refused>> {
    let Entry { video, ep_id } = entry;
    let asked = match recipe.ask(sources, &video, ep_id.clone()).await {
        Ok(asked) => asked,
        Err(error) if is_the_videos(&error) => {
            return Ok(Err(Refused { ep_id, video, reason: format!("{error:#}") }));
        }
        Err(error) => return Err(error),
    };
    let standing = standing(store, &asked.request.run).await?;
    Ok(Ok(Candidate { asked, standing }))
}

/// Whether it is this one video that can't be used.
fn is_the_videos(error: &anyhow::Error) -> bool {
    let is_its =
        |error: &SourceError| !matches!(error.kind(), SourceErrorKind::Settings | SourceErrorKind::Transient);
    error.chain().any(|cause| cause.is::<DecodeError>() || cause.downcast_ref().is_some_and(is_its))
}

#[cfg(test)]
mod tests {
    use super::super::standing::Failure;
    use super::super::submission::Submission;
    use super::Action::{Leave, Redo, Submit, Watch};
    use super::*;
    use facereel_domain::pipeline::Lane;
    use facereel_service::cancel::Cancellation;

    #[test]
    fn only_what_was_asked_for_is_done_again_and_nothing_that_is_under_way() {
        let submission = Submission { schema_version: 1, lane: Lane::Backfill, submitted_unix_sec: 0 };
        let standings = [
            Standing::New,
            Standing::Submitted(submission),
            Standing::Failed(Failure::default()),
            Standing::Cancelled(Cancellation::at(0)),
            Standing::Done,
        ];
        let actions = |selection: Selection| standings.each_ref().map(|standing| selection.action(standing));
        assert_eq!(actions(Selection::New), [Submit, Watch, Leave, Leave, Leave]);
        assert_eq!(actions(Selection::Ended), [Submit, Watch, Submit, Submit, Leave]);
        assert_eq!(actions(Selection::All), [Submit, Watch, Submit, Submit, Redo]);
    }
}
