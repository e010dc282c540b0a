//! What another process takes.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often the memory of a process is read.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Over how long a peak of CPU is taken.
const CPU_WINDOW: Duration = Duration::from_secs(1);

/// What a process took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    pub(super) wall_sec: f64,
    /// The process and all it waited for.
    pub(super) cpu_sec: f64,
    /// The process alone; 0 where it can't be read.
    pub(super) peak_rss_bytes: u64,
    /// Most CPU of the process alone over a second, 100 = one core.
    pub(super) peak_cpu_percent: f64,
}

impl Taken {
    /// CPU over the whole time, 100 = one core.
    pub(super) fn mean_cpu_percent(&self) -> f64 {
        100.0 * self.cpu_sec / self.wall_sec.max(1e-9)
    }
}

/// Runs `command` to its end, its output thrown away, and says what it took.
pub(super) fn measure(command: &mut Command) -> Result<Taken> {
    let shown = format!("{command:?}");
    let cpu_before = children_cpu_sec()?;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("{shown} can't be started"))?;
    let (status, watched) = watch(&mut child)?;
    let wall_sec = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{shown} failed: {status}");
    }
    Ok(Taken {
        wall_sec,
        cpu_sec: children_cpu_sec()? - cpu_before,
        peak_rss_bytes: watched.rss_bytes,
        peak_cpu_percent: watched.cpu_percent,
    })
}

/// The most that was seen.
#[derive(Default)]
struct Peaks {
    rss_bytes: u64,
    cpu_percent: f64,
}

fn watch(child: &mut Child) -> Result<(std::process::ExitStatus, Peaks)> {
    let mut peaks = Peaks::default();
    let (mut since, mut cpu_before) = (Instant::now(), 0.0);
    loop {
        peaks.rss_bytes = peak_rss_bytes(child.id()).unwrap_or(0).max(peaks.rss_bytes);
        if since.elapsed() >= CPU_WINDOW
            && let Some(cpu_now) = cpu_sec(child.id())
        {
            let percent = 100.0 * (cpu_now - cpu_before) / since.elapsed().as_secs_f64();
            peaks.cpu_percent = peaks.cpu_percent.max(percent);
            (since, cpu_before) = (Instant::now(), cpu_now);
        }
        if let Some(status) = child.try_wait()? {
            return Ok((status, peaks));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// CPU of a process so far.
fn cpu_sec(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(ticks(&stat, OWN)? as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn peak_rss_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// CPU of all children that have ended, and of theirs.
fn children_cpu_sec() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("/proc is needed to measure other processes")?;
    let ticks = ticks(&stat, CHILDREN).context("/proc/self/stat is not as expected")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Where `/proc/PID/stat` has the process's own time, counted from behind its name.
const OWN: usize = 11;
/// Where it has the time of the children that have ended.
const CHILDREN: usize = 13;

/// Time in user and in kernel mode, two fields from `first` on. The second field of the line is the program's name, which
/// may hold anything, up to the last parenthesis.
fn ticks(stat: &str, first: usize) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(first)?.parse::<u64>().ok()? + fields.get(first + 1)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4 5 6 7 8 11 12 130 140 20 0 1 0 9 0 0";
        assert_eq!(ticks(stat, CHILDREN), Some(270));
        assert_eq!(ticks(stat, OWN), Some(23));
    }

    #[test]
    fn a_process_is_measured_to_its_end() {
        let taken = measure(Command::new("true").arg("x")).unwrap();
        assert!(taken.wall_sec > 0.0 && taken.cpu_sec >= 0.0);
        let error = measure(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().contains("false"), "{error}");
    }
}
