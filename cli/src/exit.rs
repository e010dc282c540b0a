//! Exit codes: what kind of failure it was, for scripts.

use std::error::Error;

use detector_svc::{SourceError, SourceErrorKind};
use facereel_domain::cause::causes;
use facereel_domain::ids::IdError;
use facereel_inference::InferenceError;
use facereel_inference::catalog::CatalogError;
use facereel_queue::{QueueError, QueueErrorKind};
use facereel_settings::SettingsError;
use facereel_store::StoreError;
use facereel_video_decode::DecodeError;

use crate::embedded::RunFailed;
use crate::operator::EntryError;
use crate::store::NoSuchStore;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done = 0,
    /// It failed in a way that has no code of its own.
    Failed = 1,
    /// Arguments or settings are wrong.
    Usage = 2,
    /// The video can't be used.
    Input = 3,
    /// Models or a library are missing or damaged.
    Runtime = 4,
    /// Results can't be stored.
    Store = 5,
    /// The broker can't be used.
    Queue = 6,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted = 130,
}

/// What `--help` says about exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed for another reason
  2    arguments or settings are wrong
  3    the video can't be used (missing, damaged, no frames, a format that is not read)
  4    models or ONNX Runtime are missing or damaged (see `facereel doctor`)
  5    results can't be stored or read (disk full, permissions, a server that does not answer)
  6    the broker can't be used (not reached, credentials, other queue arguments; see `facereel doctor`)
  130  stopped by Ctrl-C or SIGTERM; the same command continues";

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The code of an error: that of the first of its causes that has one.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(kind).unwrap_or(Self::Failed)
    }

    /// The code of a library's error, if one of its causes has one.
    pub(crate) fn of_causes(error: &(dyn Error + 'static)) -> Option<Self> {
        kind(error).or_else(|| causes(error).find_map(kind))
    }
}

fn kind(error: &(dyn Error + 'static)) -> Option<Exit> {
    if let Some(failed) = error.downcast_ref::<RunFailed>() {
        return Some(failed.exit);
    }
    let codes = [
        (error.is::<SettingsError>() || error.is::<IdError>(), Exit::Usage),
        (error.is::<NoSuchStore>() || names_no_model(error), Exit::Usage),
        (error.is::<DecodeError>(), Exit::Input),
        (error.is::<CatalogError>() || error.is::<InferenceError>(), Exit::Runtime),
        (error.is::<EntryError>() || names_no_queue(error), Exit::Usage),
        (error.is::<SourceError>(), source_kind(error)),
        (error.is::<StoreError>(), Exit::Store),
        (error.is::<QueueError>(), Exit::Queue),
    ];
    codes.into_iter().find_map(|(is, exit)| is.then_some(exit))
}

/// Where a video's server does not answer, the video is not at fault; where settings are wrong, they are.
fn source_kind(error: &(dyn Error + 'static)) -> Exit {
    match error.downcast_ref::<SourceError>().map(SourceError::kind) {
        Some(SourceErrorKind::Settings) => Exit::Usage,
        Some(SourceErrorKind::Transient) => Exit::Store,
        _ => Exit::Input,
    }
}

fn names_no_queue(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<QueueError>().is_some_and(|error| error.kind() == QueueErrorKind::InvalidUrl)
}

fn names_no_model(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(CatalogError::Unknown { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use facereel_domain::ids::EpisodeId;
    use facereel_service::StageError;
    use facereel_store::StoreErrorKind;

    #[test]
    fn the_kind_of_failure_decides_the_code_however_deep_it_lies() {
        let full = StoreError::new(StoreErrorKind::Full, "write", "a");
        let error = anyhow::Error::from(StageError::from(full)).context("the run failed");
        assert_eq!(Exit::of(&error), Exit::Store);
        let bad_id = "../x".parse::<EpisodeId>().context("--episode").unwrap_err();
        assert_eq!(Exit::of(&bad_id), Exit::Usage);
    }

    #[test]
    fn a_failure_of_no_known_kind_is_code_1() {
        assert_eq!(Exit::of(&anyhow::anyhow!("no such luck")).code(), 1);
    }

    #[test]
    fn the_help_lists_every_code() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Input,
            Exit::Runtime,
            Exit::Store,
            Exit::Queue,
            Exit::Interrupted,
        ] {
            let line = format!("\n  {:<5}", exit.code());
            assert!(HELP.contains(&line), "{exit:?} is missing");
        }
    }
}
