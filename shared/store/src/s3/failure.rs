//! What went wrong with one attempt, and what to do about it.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use facereel_domain::cause::{causes, chain};
use tokio::time::timeout;

use crate::error::StoreErrorKind;

/// A failed attempt. Its text comes from the server or the transport and holds no secret: requests are never quoted.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failure {
    pub(super) kind: StoreErrorKind,
    pub(super) advice: Advice,
    /// The HTTP status, where there was an answer.
    pub(super) status: Option<u16>,
    text: String,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// The next attempt would fail likewise.
    GiveUp,
    /// The next attempt may succeed.
    TryAgain,
    /// The same, but the server asks for fewer requests.
    SlowDown,
}

impl Failure {
    pub(super) fn new(kind: StoreErrorKind, text: impl Into<String>) -> Self {
        let advice = if kind == StoreErrorKind::Transient { Advice::TryAgain } else { Advice::GiveUp };
        Self { kind, advice, status: None, text: text.into() }
    }

    /// Something passing.
    pub(super) fn transient(text: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Transient, text)
    }

    /// A stream of bytes that broke.
    pub(super) fn broken_body(error: &(dyn Error + 'static)) -> Self {
        Self::transient(format!("the connection broke in the middle of the object: {}", chain(error)))
    }

    /// Whether the object, or the thing asked for, is not there.
    pub(super) fn is_absence(&self) -> bool {
        self.kind == StoreErrorKind::NotFound
    }

    /// Whether a condition of the request (If-Match, If-None-Match) did not hold.
    pub(super) fn is_unmet_condition(&self) -> bool {
        self.status == Some(412)
    }
}

/// Waits for `work`, but not longer than `limit`.
pub(super) fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>> + Send,
) -> impl Future<Output = Result<T, Failure>> + Send {
    // Boxed: the SDK's requests are futures of many kilobytes, and would be copied into each one around them.
    let work = Box::pin(work);
    async move {
        let too_slow = |_| Failure::transient(format!("no answer within {:.1} s", limit.as_secs_f64()));
        timeout(limit, work).await.map_err(too_slow)?
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let (code, message) = (answer.err().code(), answer.err().message());
                from_answer(status, code.unwrap_or_default(), message.unwrap_or_default())
            }
            SdkError::ConstructionFailure(_) => Self::new(StoreErrorKind::Invalid, chain(&error)),
            _ if lacks_credentials(&error) => Self::new(
                StoreErrorKind::Denied,
                "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
            ),
            _ => Self::transient(chain(&error)),
        }
    }
}

/// What an answer other than success means.
fn from_answer(status: u16, code: &str, message: &str) -> Failure {
    use StoreErrorKind::{Denied, Full, Invalid, NotFound, Transient};
    let (kind, advice) = match (status, code) {
        (
            _,
            "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequests",
        )
        | (429 | 503, _) => (Transient, Advice::SlowDown),
        (_, "QuotaExceeded" | "EntityTooLarge" | "XMinioStorageFull") | (507, _) => (Full, Advice::GiveUp),
        // Asking again does not teach it.
        (501, _) => (Invalid, Advice::GiveUp),
        // 400 with these codes tells of damage on the way; 409 of two writers at the same moment.
        (_, "BadDigest" | "IncompleteBody" | "RequestTimeout" | "InternalError") | (408 | 409 | 500.., _) => {
            (Transient, Advice::TryAgain)
        }
        (401 | 403, _) => (Denied, Advice::GiveUp),
        (404, _) => (NotFound, Advice::GiveUp),
        _ => (Invalid, Advice::GiveUp),
    };
    let mut text = format!("the server answered {status}");
    for part in [code, message].into_iter().filter(|part| !part.is_empty()) {
        // Writing to a string can't fail.
        let _ = write!(text, " {part}");
    }
    Failure { kind, advice, status: Some(status), text }
}

fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(cause.downcast_ref::<CredentialsError>(), Some(CredentialsError::CredentialsNotLoaded(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_by_what_helps() {
        for (status, code, kind, advice) in [
            (503, "SlowDown", StoreErrorKind::Transient, Advice::SlowDown),
            (429, "", StoreErrorKind::Transient, Advice::SlowDown),
            (500, "InternalError", StoreErrorKind::Transient, Advice::TryAgain),
            (409, "ConditionalRequestConflict", StoreErrorKind::Transient, Advice::TryAgain),
            (400, "BadDigest", StoreErrorKind::Transient, Advice::TryAgain),
            (400, "InvalidArgument", StoreErrorKind::Invalid, Advice::GiveUp),
            (301, "PermanentRedirect", StoreErrorKind::Invalid, Advice::GiveUp),
            (403, "SignatureDoesNotMatch", StoreErrorKind::Denied, Advice::GiveUp),
            (404, "NoSuchKey", StoreErrorKind::NotFound, Advice::GiveUp),
            (412, "PreconditionFailed", StoreErrorKind::Invalid, Advice::GiveUp),
            (507, "", StoreErrorKind::Full, Advice::GiveUp),
            (501, "NotImplemented", StoreErrorKind::Invalid, Advice::GiveUp),
        ] {
            let failure = from_answer(status, code, "");
            assert_eq!((failure.kind, failure.advice), (kind, advice), "{status} {code}");
        }
    }

    #[test]
    fn the_text_is_what_the_server_said() {
        let failure = from_answer(403, "AccessDenied", "You may not.");
        assert_eq!(failure.to_string(), "the server answered 403 AccessDenied You may not.");
    }
}
