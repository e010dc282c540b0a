//! How often and how soon a job is tried again.

use std::time::Duration;

/// How often and how soon a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, at least 1.
    pub attempts: u32,
    /// Pause after the first try; doubles with each.
    pub first_pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 5, first_pause: Duration::from_secs(1), longest_pause: Duration::from_mins(5) }
    }
}

impl RetryPolicy {
    /// The pause after try number `attempt` (from 1), or `None` when it was the last.
    #[must_use]
    pub fn pause_after(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(20);
        Some(self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_the_attempts() {
        let policy = RetryPolicy {
            attempts: 4,
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(5),
        };
        let pauses: Vec<_> = (1..=4).map(|n| policy.pause_after(n).map(|p| p.as_secs())).collect();
        assert_eq!(pauses, [Some(2), Some(4), Some(5), None]);
    }
}
