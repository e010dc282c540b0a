//! The key that was probably meant.

use crate::knobs;

/// Below this share of equal letters a guess would only mislead.
const LEAST_LIKENESS: f64 = 0.5;

/// The setting whose path, or last part of it, is most like `key`.
pub(crate) fn nearest_path(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let (path, likeness) = knobs::all()
        .map(|knob| (knob.path, likeness(&key, knob.path)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (likeness >= LEAST_LIKENESS).then_some(path)
}

fn likeness(key: &str, path: &str) -> f64 {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let whole = strsim::normalized_damerau_levenshtein(key, path);
    // The right name in the wrong group, or without one, counts a little less than the right path.
    whole.max(0.9 * strsim::normalized_damerau_levenshtein(&last(key), &last(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_wrong_groups_find_the_key_that_was_meant() {
        for (written, meant) in [
            ("detect.strde", "detect.stride"),
            ("detect.Stride", "detect.stride"),
            ("stride", "detect.stride"),
            ("tracker.max_gap_sec", "track.max_gap_sec"),
            ("detect.max_gap_sec", "track.max_gap_sec"),
            ("limits.thread", "limits.threads"),
            ("embed.batchsize", "embed.batch_size"),
        ] {
            assert_eq!(nearest_path(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_resembles_nothing_gets_no_guess() {
        assert_eq!(nearest_path("zzzzzzzzzz"), None);
    }
}
