//! How long to wait before the next try to reach a broker.

use std::time::Duration;

/// Pauses that double from a tenth of a second to thirty, each shortened by a random part of up to half, so that
/// a fleet that lost its broker does not come back at one moment.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(30);

    /// The next pause.
    pub(super) fn next_pause(&mut self) -> Duration {
        self.next_with_jitter(fastrand::f64())
    }

    /// The next pause for a random number in 0..1.
    fn next_with_jitter(&mut self, random: f64) -> Duration {
        let full = Self::FIRST.saturating_mul(1 << self.tries.min(20)).min(Self::LONGEST);
        self.tries = self.tries.saturating_add(1);
        full.mul_f64(1.0 - random / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_never_end() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..100).map(|_| backoff.next_with_jitter(0.0)).collect();
        assert_eq!(pauses[..3], [100, 200, 400].map(Duration::from_millis));
        assert_eq!(pauses[99], Duration::from_secs(30));
    }

    #[test]
    fn jitter_takes_at_most_half() {
        assert_eq!(Backoff::default().next_with_jitter(1.0), Duration::from_millis(50));
    }
}
