//! How many of the cuts were found, and how many were made up.

use serde::Serialize;

/// Cuts found against cuts that are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShotReport {
    /// True cuts that were found.
    pub hits: u64,
    /// First frames of true shots that were not found, from 0.
    pub missed: Vec<u64>,
    /// First frames of found shots where no shot begins, from 0.
    pub made_up: Vec<u64>,
}

impl ShotReport {
    /// Share of the found cuts that are true; 1 where none was found.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.share_beside(self.made_up.len())
    }

    /// Share of the true cuts that were found; 1 where there is none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.share_beside(self.missed.len())
    }

    /// Harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let all = 2 * self.hits + (self.missed.len() + self.made_up.len()) as u64;
        if all == 0 { 1.0 } else { 2.0 * self.hits as f64 / all as f64 }
    }

    fn share_beside(&self, wrong: usize) -> f64 {
        let all = self.hits + wrong as u64;
        if all == 0 { 1.0 } else { self.hits as f64 / all as f64 }
    }
}

/// Compares first frames of shots, both ascending and without the first shot's: a cut is found where a found shot begins
/// at most `tolerance` frames away. Each cut goes with one found shot at most, in order of time.
#[must_use]
pub fn compare(truth: &[u64], found: &[u64], tolerance: u64) -> ShotReport {
    let mut report = ShotReport::default();
    let (mut truth, mut found) = (truth.iter().peekable(), found.iter().peekable());
    loop {
        match (truth.peek(), found.peek()) {
            (Some(&&t), Some(&&f)) if t.abs_diff(f) <= tolerance => {
                report.hits += 1;
                truth.next();
                found.next();
            }
            (Some(&&t), Some(&&f)) if t < f => {
                report.missed.push(t);
                truth.next();
            }
            (_, Some(&&f)) => {
                report.made_up.push(f);
                found.next();
            }
            (Some(&&t), None) => {
                report.missed.push(t);
                truth.next();
            }
            (None, None) => return report,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_near_enough_are_found_and_each_only_once() {
        let report = compare(&[100, 200, 300], &[101, 102, 290, 400], 2);
        assert_eq!(report.hits, 1);
        assert_eq!(report.missed, [200, 300]);
        assert_eq!(report.made_up, [102, 290, 400]);
        assert!((report.precision() - 0.25).abs() < 1e-9 && (report.recall() - 1.0 / 3.0).abs() < 1e-9);
        assert!((report.f1() - 2.0 / 7.0).abs() < 1e-9);
    }

    #[test]
    fn a_video_without_cuts_in_which_none_is_found_is_right() {
        let report = compare(&[], &[], 2);
        assert!((report.f1() - 1.0).abs() < 1e-9 && (report.precision() - 1.0).abs() < 1e-9);
    }
}
