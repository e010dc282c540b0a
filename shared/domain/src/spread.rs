//! Choosing a few of many views so that they are good and cover the whole time.

/// A view that could be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Seconds.
    pub ts: f64,
    /// How good it is, higher is better.
    pub score: f32,
}

/// Places of at most `limit` (0 = all) of `views`, ascending: the best of each of `limit` equal stretches of time, then
/// the best of what is left. `views` are in order of time; of equal scores the earlier view is taken.
#[must_use]
pub fn best_spread(views: &[View], limit: usize) -> Vec<usize> {
    if limit == 0 || views.len() <= limit {
        return (0..views.len()).collect();
    }
    let (start, end) = (views[0].ts, views[views.len() - 1].ts);
    let stretch = |ts: f64| (((ts - start) / (end - start).max(1e-9) * limit as f64) as usize).min(limit - 1);
    let mut best: Vec<Option<usize>> = vec![None; limit];
    for (place, view) in views.iter().enumerate() {
        let holder = &mut best[stretch(view.ts)];
        if holder.is_none_or(|at| views[at].score < view.score) {
            *holder = Some(place);
        }
    }
    let mut chosen: Vec<usize> = best.into_iter().flatten().collect();
    let mut others: Vec<usize> =
        (0..views.len()).filter(|place| chosen.binary_search(place).is_err()).collect();
    // Stable: of equal scores the earlier one stays in front.
    others.sort_by(|a, b| views[*b].score.total_cmp(&views[*a].score));
    chosen.extend(others.into_iter().take(limit - chosen.len()));
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn views(scores: &[f32]) -> Vec<View> {
        scores.iter().enumerate().map(|(i, score)| View { ts: i as f64 * 0.25, score: *score }).collect()
    }

    #[test]
    fn choices_span_the_whole_time() {
        let mut scores = vec![0.9; 30];
        scores.extend(vec![0.1; 30]);
        let chosen = best_spread(&views(&scores), 6);
        assert_eq!(chosen.len(), 6);
        assert!(chosen.iter().filter(|place| **place >= 30).count() >= 3, "{chosen:?}");
    }

    #[test]
    fn the_best_of_a_stretch_is_taken_and_gaps_are_filled_with_the_best_left() {
        assert_eq!(best_spread(&views(&[0.1, 0.8, 0.2, 0.3, 0.9, 0.1]), 2), [1, 4]);
        let late = [
            View { ts: 0.0, score: 0.5 },
            View { ts: 9.8, score: 0.6 },
            View { ts: 9.9, score: 0.4 },
            View { ts: 10.0, score: 0.7 },
        ];
        assert_eq!(best_spread(&late, 3), [0, 1, 3]);
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_and_never_fewer_than_there_could_be(
            scores in proptest::collection::vec(0.0_f32..1.0, 0..80),
            limit in 0_usize..12,
        ) {
            let chosen = best_spread(&views(&scores), limit);
            let expected = if limit == 0 { scores.len() } else { scores.len().min(limit) };
            prop_assert_eq!(chosen.len(), expected);
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
