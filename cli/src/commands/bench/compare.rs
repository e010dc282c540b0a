//! What another process takes.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often the memory of a process is read.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a process took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    pub(super) wall_sec: f64,
    /// The process and all it waited for.
    pub(super) cpu_sec: f64,
    /// The process alone; 0 where it can't be read.
    pub(super) peak_rss_bytes: u64,
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
    let (status, peak_rss_bytes) = watch(&mut child)?;
    let wall_sec = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{shown} failed: {status}");
    }
    Ok(Taken { wall_sec, cpu_sec: children_cpu_sec()? - cpu_before, peak_rss_bytes })
}

fn watch(child: &mut Child) -> Result<(std::process::ExitStatus, u64)> {
    let mut peak = 0;
    loop {
        peak = peak_rss_bytes(child.id()).unwrap_or(0).max(peak);
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn peak_rss_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// CPU of all children that have ended, and of theirs.
fn children_cpu_sec() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("/proc is needed to measure other processes")?;
    let ticks = children_ticks(&stat).context("/proc/self/stat is not as expected")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Fields 16 and 17; the second field is the program's name, which may hold anything, up to the last parenthesis.
fn children_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_childrens_time_is_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4 5 6 7 8 11 12 130 140 20 0 1 0 9 0 0";
        assert_eq!(children_ticks(stat), Some(270));
    }

    #[test]
    fn a_process_is_measured_to_its_end() {
        let taken = measure(Command::new("true").arg("x")).unwrap();
        assert!(taken.wall_sec > 0.0 && taken.cpu_sec >= 0.0);
        let error = measure(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().contains("false"), "{error}");
    }
}
