//! Figures of a verification test, from the similarities of pairs.

/// A pair's similarity, and whether it is of one person.
pub(super) type Scored = (f32, bool);

/// How well a threshold does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Accuracy {
    /// Share of pairs that are told right.
    pub(super) share: f64,
    /// Pairs from this similarity on are taken for one person.
    pub(super) threshold: f32,
}

/// The threshold that tells most of `scored` right.
pub(super) fn best_threshold(scored: &[Scored]) -> Accuracy {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    // With the threshold above everything, all pairs of two people are right.
    let mut right = sorted.iter().filter(|(_, same)| !same).count();
    let mut best = (right, f32::INFINITY);
    for (similarity, same) in sorted {
        if same {
            right += 1;
        } else {
            right -= 1;
        }
        if right > best.0 {
            best = (right, similarity);
        }
    }
    Accuracy { share: best.0 as f64 / scored.len().max(1) as f64, threshold: best.1 }
}

/// Mean accuracy over `folds` folds of equal size, each judged with the threshold that is best for the others.
pub(super) fn cross_validated(scored: &[Scored], folds: usize) -> f64 {
    let size = scored.len().div_ceil(folds.max(1)).max(1);
    let shares: Vec<f64> = scored
        .chunks(size)
        .enumerate()
        .map(|(fold, tested)| {
            let others: Vec<Scored> = scored
                .chunks(size)
                .enumerate()
                .filter(|(n, _)| *n != fold)
                .flat_map(|(_, c)| c.to_vec())
                .collect();
            share_right(tested, best_threshold(&others).threshold)
        })
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

fn share_right(scored: &[Scored], threshold: f32) -> f64 {
    let right = scored.iter().filter(|(similarity, same)| (*similarity >= threshold) == *same).count();
    right as f64 / scored.len().max(1) as f64
}

/// Chance that a pair of one person is more alike than a pair of two, ties counted half.
pub(super) fn area_under_curve(scored: &[Scored]) -> f64 {
    let of = |wanted: bool| {
        let mut values: Vec<f32> =
            scored.iter().filter(|(_, same)| *same == wanted).map(|(s, _)| *s).collect();
        values.sort_by(f32::total_cmp);
        values
    };
    let (same, other) = (of(true), of(false));
    let wins: f64 = same
        .iter()
        .map(|s| {
            let below = other.partition_point(|o| o < s);
            let ties = other[below..].partition_point(|o| o <= s);
            below as f64 + 0.5 * ties as f64
        })
        .sum();
    wins / (same.len() * other.len()).max(1) as f64
}

/// Share of pairs of one person that are accepted where at most `false_accepts` of the pairs of two are.
pub(super) fn accepted_at(scored: &[Scored], false_accepts: f64) -> f64 {
    let mut other: Vec<f32> = scored.iter().filter(|(_, same)| !same).map(|(s, _)| *s).collect();
    other.sort_by(|a, b| b.total_cmp(a));
    let allowed = (other.len() as f64 * false_accepts).floor() as usize;
    // Accepted is what is more alike than the first that may not be.
    let bar = other.get(allowed).copied().unwrap_or(f32::NEG_INFINITY);
    let same: Vec<f32> = scored.iter().filter(|(_, same)| *same).map(|(s, _)| *s).collect();
    same.iter().filter(|s| **s > bar).count() as f64 / same.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: [Scored; 6] =
        [(0.9, true), (0.8, true), (0.3, true), (0.4, false), (0.1, false), (0.0, false)];

    #[test]
    fn one_wrong_pair_of_six_costs_a_sixth() {
        let best = best_threshold(&MIXED);
        assert!((best.share - 5.0 / 6.0).abs() < 1e-9);
        assert!((best.threshold - 0.8).abs() < 1e-6);
        assert!((area_under_curve(&MIXED) - 8.0 / 9.0).abs() < 1e-9);
    }

    #[test]
    fn thresholds_of_one_fold_are_judged_on_another() {
        let scored = [(0.9, true), (0.1, false), (0.8, true), (0.2, false)];
        assert!((cross_validated(&scored, 2) - 0.75).abs() < 1e-9);
    }

    #[test]
    fn acceptance_counts_only_what_is_above_the_bar() {
        assert!((accepted_at(&MIXED, 0.0) - 2.0 / 3.0).abs() < 1e-9);
        assert!((accepted_at(&MIXED, 0.34) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_pairs_nothing_divides_by_zero() {
        assert!(best_threshold(&[]).share.abs() < 1e-9);
        assert!(area_under_curve(&[]).abs() < 1e-9);
        assert!(accepted_at(&[], 0.1).abs() < 1e-9);
    }
}
