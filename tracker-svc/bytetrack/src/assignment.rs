//! Rectangular assignment: which row goes with which column so that the total gain is greatest.
//!
//! The exact method of shortest augmenting paths (Kuhn 1955, in the O(n²m) form of Jonker and Volgenant 1987) on a dense
//! matrix. Matching greedily, best pair first, is faster to write and wrong where people stand close: the best
//! single pair can force two bad ones.

/// Gains of pairing rows with columns; `0` means the two may not be paired.
#[derive(Debug, Clone)]
pub(crate) struct GainMatrix {
    rows: usize,
    columns: usize,
    /// Row by row.
    gains: Vec<f64>,
}

impl GainMatrix {
    /// A matrix filled by `gain(row, column)`; what is not a positive finite number forbids the pair.
    pub(crate) fn from_fn(rows: usize, columns: usize, mut gain: impl FnMut(usize, usize) -> f64) -> Self {
        let mut gains = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            gains.extend((0..columns).map(|column| gain(row, column)));
        }
        for gain in &mut gains {
            if !(gain.is_finite() && *gain > 0.0) {
                *gain = 0.0;
            }
        }
        Self { rows, columns, gains }
    }

    /// The gain of a pair.
    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.gains[row * self.columns + column]
    }

    /// The pairs `(row, column)` of the assignment with the greatest total gain, by row. Rows and columns may stay
    /// alone; forbidden pairs are never chosen. Between assignments of equal total the choice depends on the order of
    /// rows and columns alone.
    pub(crate) fn best_pairs(&self) -> Vec<(usize, usize)> {
        if self.gains.iter().all(|&gain| gain == 0.0) {
            return Vec::new();
        }
        let mut pairs: Vec<(usize, usize)> = if self.rows <= self.columns {
            let columns = cheapest_columns(self.rows, self.columns, |r, c| -self.at(r, c));
            columns.into_iter().enumerate().collect()
        } else {
            let rows = cheapest_columns(self.columns, self.rows, |c, r| -self.at(r, c));
            rows.into_iter().enumerate().map(|(column, row)| (row, column)).collect()
        };
        pairs.retain(|&(row, column)| self.at(row, column) > 0.0);
        pairs.sort_unstable();
        pairs
    }

    /// Those of the best pairs that stand clear of their rivals by at least `margin`; a close call stays unpaired.
    pub(crate) fn clear_pairs(&self, margin: f64) -> Vec<(usize, usize)> {
        let pairs = self.best_pairs();
        pairs.iter().copied().filter(|&pair| self.lead(&pairs, pair) >= margin).collect()
    }

    /// What the total would lose if `chosen` exchanged partners with the pair that suits it second best, or took a
    /// partner that is still alone; infinite without any such rival.
    fn lead(&self, pairs: &[(usize, usize)], chosen: (usize, usize)) -> f64 {
        let (row, column) = chosen;
        let own = self.at(row, column);
        let alone_rows = (0..self.rows).filter(|&r| pairs.iter().all(|p| p.0 != r));
        let alone_columns = (0..self.columns).filter(|&c| pairs.iter().all(|p| p.1 != c));
        let exchanges = pairs.iter().filter(|&&pair| pair != chosen).map(|&(r, c)| {
            let crossed = self.at(row, c) + self.at(r, column);
            (crossed, own + self.at(r, c))
        });
        exchanges
            .chain(alone_rows.map(|r| (self.at(r, column), own)))
            .chain(alone_columns.map(|c| (self.at(row, c), own)))
            .filter(|&(rival, _)| rival > 0.0)
            .map(|(rival, present)| present - rival)
            .fold(f64::INFINITY, f64::min)
    }
}

/// For each of `n` rows its column among `m >= n` so that the total cost is least.
///
/// Rows enter one after another. Each looks for the cheapest chain of moves that ends at a free column (Dijkstra on
/// reduced costs, which the potentials keep from being negative), and the chain is then shifted along. Index 0 of
/// the arrays over columns stands for "the entering row has no column yet"; real columns start at 1.
fn cheapest_columns(n: usize, m: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut row_potential = vec![0.0; n];
    let mut column_potential = vec![0.0; m + 1];
    let mut row_of: Vec<Option<usize>> = vec![None; m + 1];
    for entering in 0..n {
        row_of[0] = Some(entering);
        let mut distance = vec![f64::INFINITY; m + 1];
        let mut came_from = vec![0; m + 1];
        let mut reached = vec![false; m + 1];
        let mut column = 0;
        while let Some(row) = row_of[column] {
            reached[column] = true;
            let (mut nearest, mut step) = (0, f64::INFINITY);
            for next in (1..=m).filter(|&c| !reached[c]) {
                let reduced = cost(row, next - 1) - row_potential[row] - column_potential[next];
                if reduced < distance[next] {
                    distance[next] = reduced;
                    came_from[next] = column;
                }
                if distance[next] < step {
                    (nearest, step) = (next, distance[next]);
                }
            }
            for c in 0..=m {
                match row_of[c] {
                    Some(r) if reached[c] => {
                        row_potential[r] += step;
                        column_potential[c] -= step;
                    }
                    _ => distance[c] -= step,
                }
            }
            column = nearest;
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    let mut columns = vec![0; n];
    for (column, row) in row_of.iter().enumerate().skip(1) {
        if let Some(row) = *row {
            columns[row] = column - 1;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(matrix: &GainMatrix, pairs: &[(usize, usize)]) -> f64 {
        pairs.iter().map(|&(r, c)| matrix.at(r, c)).sum()
    }

    /// The greatest total by trying everything.
    fn exhaustive(matrix: &GainMatrix, row: usize, taken: &mut Vec<usize>) -> f64 {
        if row == matrix.rows {
            return 0.0;
        }
        let mut best = exhaustive(matrix, row + 1, taken);
        for column in 0..matrix.columns {
            if !taken.contains(&column) {
                taken.push(column);
                best = best.max(matrix.at(row, column) + exhaustive(matrix, row + 1, taken));
                taken.pop();
            }
        }
        best
    }

    #[test]
    fn the_best_single_pair_is_given_up_for_a_better_whole() {
        let gains = [[0.9, 0.8], [0.8, 0.0]];
        let matrix = GainMatrix::from_fn(2, 2, |r, c| gains[r][c]);
        assert_eq!(matrix.best_pairs(), [(0, 1), (1, 0)]);
    }

    #[test]
    fn forbidden_pairs_stay_apart() {
        let matrix = GainMatrix::from_fn(2, 3, |r, c| if (r, c) == (1, 2) { 0.4 } else { f64::NAN });
        assert_eq!(matrix.best_pairs(), [(1, 2)]);
        assert!(GainMatrix::from_fn(0, 3, |_, _| 1.0).best_pairs().is_empty());
        assert!(GainMatrix::from_fn(3, 0, |_, _| 1.0).best_pairs().is_empty());
    }

    #[test]
    fn a_close_call_is_left_open_and_a_clear_one_is_not() {
        let close = [[0.50, 0.45], [0.45, 0.50]];
        let clear = [[0.50, 0.20], [0.20, 0.50]];
        let matrix = |gains: [[f64; 2]; 2]| GainMatrix::from_fn(2, 2, |r, c| gains[r][c]);
        assert!(matrix(close).clear_pairs(0.2).is_empty());
        assert_eq!(matrix(clear).clear_pairs(0.2), [(0, 0), (1, 1)]);
        let lonely_rival = GainMatrix::from_fn(1, 2, |_, c| [0.50, 0.45][c]);
        assert!(lonely_rival.clear_pairs(0.2).is_empty());
        assert_eq!(GainMatrix::from_fn(1, 1, |_, _| 0.01).clear_pairs(0.2), [(0, 0)], "nobody else is near");
    }

    proptest! {
        #[test]
        fn no_other_assignment_gains_more(
            rows in 1_usize..6,
            columns in 1_usize..6,
            cells in proptest::collection::vec(prop_oneof![Just(0.0), 0.01_f64..1.0], 36),
        ) {
            let matrix = GainMatrix::from_fn(rows, columns, |r, c| cells[r * 6 + c]);
            let pairs = matrix.best_pairs();
            prop_assert!((total(&matrix, &pairs) - exhaustive(&matrix, 0, &mut Vec::new())).abs() < 1e-9);
            for (i, a) in pairs.iter().enumerate() {
                prop_assert!(pairs[i + 1..].iter().all(|b| a.0 != b.0 && a.1 != b.1));
            }
        }
    }
}
