//! Who goes with whom in a frame, so that the sum of scores is greatest.

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;

/// Steps of a score: finer than any difference between overlaps of real boxes, and a thousand such scores still fit.
const STEPS: f64 = 1e9;

/// The pairs `(row, column)` with the greatest total `score(row, column)`, by row. Pairs without a positive score are
/// left out; so rows and columns may stay alone.
pub(crate) fn best_pairs(
    (rows, columns): (usize, usize),
    score: impl Fn(usize, usize) -> f64,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    // The solver wants no more rows than columns.
    let is_tall = rows > columns;
    let (short, long) = if is_tall { (columns, rows) } else { (rows, columns) };
    let steps = |(s, l): (usize, usize)| {
        let score = if is_tall { score(l, s) } else { score(s, l) };
        (score.max(0.0) * STEPS).round() as i64
    };
    let weights = Matrix::from_fn(short, long, steps);
    let (_, partner) = kuhn_munkres(&weights);
    let chosen = partner.into_iter().enumerate().filter(|&(s, l)| weights[(s, l)] > 0);
    let mut pairs: Vec<_> = chosen.map(|(s, l)| if is_tall { (l, s) } else { (s, l) }).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_single_pair_is_given_up_for_a_better_whole() {
        let scores = [[0.9, 0.8], [0.8, 0.0]];
        assert_eq!(best_pairs((2, 2), |r, c| scores[r][c]), [(0, 1), (1, 0)]);
    }

    #[test]
    fn whoever_has_no_partner_stays_alone() {
        let tall = [[0.0], [0.4], [0.5]];
        assert_eq!(best_pairs((3, 1), |r, c| tall[r][c]), [(2, 0)]);
        assert_eq!(best_pairs((1, 3), |r, c| tall[c][r]), [(0, 2)]);
        assert!(best_pairs((2, 2), |_, _| 0.0).is_empty());
        assert!(best_pairs((0, 3), |_, _| 1.0).is_empty());
    }
}
