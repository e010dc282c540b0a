//! What becomes of a job whose video can't be read.

use facereel_service::StageError;
use facereel_video_decode::DecodeError;

/// Faults of the disk or the network may pass, those of the video stay.
pub(crate) fn decode_failure(doing: &str, error: DecodeError) -> StageError {
    if error.is_permanent() {
        StageError::permanent(doing, error)
    } else {
        StageError::transient(doing, error)
    }
}
