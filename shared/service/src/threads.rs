//! How many threads a process uses.

use facereel_domain::settings::LimitSettings;

use crate::cpu::{CpuLimit, quota};

/// A process's share of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Threads that decode, detect, embed.
    pub compute: usize,
    /// Percent of one CPU that the process may use.
    pub cpu_percent: u32,
}

impl Threads {
    /// The share that `limits` give, where the process may use `available` CPUs.
    #[must_use]
    pub fn of(limits: &LimitSettings, available: usize) -> Self {
        let workers = limits.workers as usize;
        // More workers than CPUs only where somebody asks for them and sets no limit on threads.
        let threads = if limits.threads > 0 { limits.threads as usize } else { available.max(workers) };
        let wanted = if workers > 0 { workers.min(threads) } else { threads };
        let cpu_percent = match limits.cpu_percent {
            0 => 100 * u32::try_from(threads).unwrap_or(u32::MAX / 100),
            percent => percent,
        };
        let compute = CpuLimit::new(cpu_percent).threads(wanted);
        Self { compute, cpu_percent }
    }

    /// The share on this machine.
    #[must_use]
    pub fn here(limits: &LimitSettings) -> Self {
        Self::of(limits, quota())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(threads: u32, workers: u32, cpu_percent: u32) -> (usize, u32) {
        let threads = Threads::of(&LimitSettings { threads, cpu_percent, workers }, 2);
        (threads.compute, threads.cpu_percent)
    }

    #[test]
    fn without_limits_every_cpu_of_the_quota_gets_a_thread() {
        assert_eq!(of(0, 0, 0), (2, 200));
    }

    #[test]
    fn the_limit_on_threads_holds_for_workers_too() {
        assert_eq!(of(3, 0, 0), (3, 300));
        assert_eq!(of(3, 8, 0), (3, 300));
        assert_eq!(of(3, 1, 0), (1, 300));
    }

    #[test]
    fn workers_alone_may_exceed_the_quota() {
        assert_eq!(of(0, 4, 0), (4, 400));
        assert_eq!(of(0, 1, 0), (1, 200));
    }

    #[test]
    fn a_cpu_limit_leaves_no_more_threads_than_it_can_feed() {
        assert_eq!(of(0, 4, 150), (2, 150));
        assert_eq!(of(0, 0, 50), (1, 50));
    }
}
