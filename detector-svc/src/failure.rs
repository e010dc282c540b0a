//! What becomes of a job whose video can't be read, or whose model does not work.

use facereel_inference::InferenceError;
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

/// What lacks a graphics card here may find one elsewhere; all else is wrong with the model.
pub(crate) fn model_failure(doing: &str, error: InferenceError) -> StageError {
    if error.is_permanent() {
        StageError::permanent(doing, error)
    } else {
        StageError::transient(doing, error)
    }
}

#[cfg(test)]
mod tests {
    use facereel_service::stage::Disposition;

    use super::*;

    #[test]
    fn what_lacks_a_card_is_tried_again_and_a_broken_model_is_not() {
        let (model, reason) = (|| "yunet".to_owned(), || "no such operator".to_owned());
        let without_card = InferenceError::Cuda { model: model(), reason: reason() };
        assert_eq!(model_failure("detecting", without_card).disposition, Disposition::Transient);
        let broken = InferenceError::Run { model: model(), reason: reason() };
        assert_eq!(model_failure("detecting", broken).disposition, Disposition::Permanent);
    }
}
