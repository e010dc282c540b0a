//! How much CPU the process may use: the quota it was given and the limit that a setting adds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// CPUs that the process may use, from the cgroup's quota and the affinity mask; at least 1.
///
/// `available_parallelism` reads both (cgroup v1 and v2); a fraction of a CPU counts as one.
#[must_use]
pub fn quota() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Keeps the process at or under a CPU limit by pauses: compute threads call [`CpuLimit::pace`] between units of work.
///
/// The unit is percent of one CPU: 250 means two and a half CPUs. What counts is the CPU time of the process, without
/// children, against the time since the limit was made: over that time the mean stays at or under the limit.
#[derive(Debug)]
pub struct CpuLimit {
    percent: u32,
    started: Instant,
    used_at_start: Duration,
    /// Wall-clock nanoseconds since `started` before which nobody works on; 0 = nobody waits.
    resume_at_ns: AtomicU64,
}

impl CpuLimit {
    /// A limit of `percent` of one CPU; 0 = none.
    #[must_use]
    pub fn new(percent: u32) -> Self {
        Self { percent, started: Instant::now(), used_at_start: used(), resume_at_ns: AtomicU64::new(0) }
    }

    /// Threads that can be busy all the time within the limit, of `threads` wanted; at least 1.
    #[must_use]
    pub fn threads(&self, threads: usize) -> usize {
        if self.percent == 0 { threads } else { threads.min(self.percent.div_ceil(100) as usize).max(1) }
    }

    /// Returns at once while the process is within its limit, else after the pause that brings it back.
    pub fn pace(&self) {
        if self.percent == 0 {
            return;
        }
        let pause =
            pause_for(used().saturating_sub(self.used_at_start), self.started.elapsed(), self.percent);
        if !pause.is_zero() {
            let until = (self.started.elapsed() + pause).as_nanos() as u64;
            self.resume_at_ns.fetch_max(until, Ordering::Relaxed);
        }
        let resume_at = Duration::from_nanos(self.resume_at_ns.load(Ordering::Relaxed));
        let wait = resume_at.saturating_sub(self.started.elapsed());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
    }
}

/// How long to pause so that `used` CPU time over the wall time (so far `wall`) falls to `percent`.
fn pause_for(used: Duration, wall: Duration, percent: u32) -> Duration {
    let due = used.mul_f64(100.0 / f64::from(percent));
    // Under 5 ms it is not worth the wake-up.
    due.checked_sub(wall).filter(|pause| *pause >= Duration::from_millis(5)).unwrap_or_default()
}

/// CPU time of the process so far.
#[must_use]
pub fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Highest resident set of the process so far, in bytes (Linux; 0 where it can't be read).
#[must_use]
pub fn peak_rss_bytes() -> u64 {
    status_number("VmHWM:").unwrap_or(0) * 1024
}

/// Resident set of the process now, in bytes (Linux; 0 where it can't be read).
#[must_use]
pub fn rss_bytes() -> u64 {
    status_number("VmRSS:").unwrap_or(0) * 1024
}

/// Threads of the process now (Linux; 0 where it can't be read).
#[must_use]
pub fn thread_count() -> u64 {
    status_number("Threads:").unwrap_or(0)
}

/// The number behind `name` in `/proc/self/status`.
fn status_number(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_bring_the_share_down_to_the_limit() {
        let second = Duration::from_secs(1);
        assert_eq!(pause_for(second, second, 50), second);
        assert_eq!(pause_for(second, second, 100), Duration::ZERO);
        assert_eq!(pause_for(second, second, 250), Duration::ZERO);
        assert_eq!(pause_for(second * 4, second, 200), second);
    }

    #[test]
    fn a_limit_below_one_cpu_still_leaves_a_thread() {
        assert_eq!(CpuLimit::new(30).threads(4), 1);
        assert_eq!(CpuLimit::new(250).threads(8), 3);
        assert_eq!(CpuLimit::new(0).threads(8), 8);
    }

    #[test]
    fn a_busy_loop_that_paces_itself_stays_under_its_limit() {
        let limit = CpuLimit::new(50);
        let (wall, cpu) = (Instant::now(), used());
        while wall.elapsed() < Duration::from_millis(600) {
            std::hint::black_box((0..20_000_u64).sum::<u64>());
            limit.pace();
        }
        let share = used().saturating_sub(cpu).as_secs_f64() / wall.elapsed().as_secs_f64();
        assert!(share < 0.6, "{share}");
    }

    #[test]
    fn the_process_can_be_measured() {
        assert!(rss_bytes() > 1 << 20);
        assert!(peak_rss_bytes() >= rss_bytes() / 2);
        assert!(thread_count() >= 1);
    }
}
