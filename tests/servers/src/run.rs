//! The run of tests that servers belong to, and its end.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// Waits for the end of process $1, then kills the process groups noted below folder $2 and removes it, and the files
/// elsewhere that are noted there. Erlang's
/// port mapper leaves the group of the broker that started it, and goes when asked after the broker is gone.
const KEEPER: &str = r#"
tail --pid="$1" -f /dev/null
for noted in "$2"/*/groups/*; do kill -KILL -- "-${noted##*/}"; done
for noted in "$2"/*/epmd-port; do
    for _ in 1 2 3 4 5; do ERL_EPMD_PORT=$(cat "$noted") epmd -kill && break; sleep 0.2; done
done
cat "$2"/*/leftovers | xargs rm -f
rm -rf "$2"
"#;

/// The folder of server `name` of this run; it is there, and a keeper watches.
pub(crate) fn folder_of(name: &str) -> Result<PathBuf> {
    // Cargo and nextest tell tests that they run under them; else this process is all there is.
    let under_cargo = std::env::var_os("CARGO").is_some();
    let runner = if under_cargo { parent_id() } else { std::process::id() };
    let base = std::env::temp_dir().join(format!("facereel-servers-{runner}"));
    fs::create_dir_all(&base)?;
    let _one_at_a_time = lock(&base.join("keeper.lock"))?;
    let kept = base.join("kept");
    if !kept.exists() {
        Command::new("bash")
            .args(["-c", KEEPER, "keeper", &runner.to_string()])
            .arg(&base)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("no bash for the keeper")?;
        File::create(kept)?;
    }
    let folder = base.join(name);
    fs::create_dir_all(folder.join("groups"))?;
    Ok(folder)
}

/// Holds `path` for this process alone until the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Starts `command` in a process group of its own that the keeper knows; returns its id.
pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<u32> {
    let child = command.process_group(0).spawn().with_context(|| format!("can't start {command:?}"))?;
    File::create(folder.join("groups").join(child.id().to_string()))?;
    Ok(child.id())
}

/// Kills process group `id` and waits until its leader is gone.
pub(crate) fn kill(id: u32, folder: &Path) -> Result<()> {
    let group = pid(id)?;
    end(id, folder, || Ok(kill_process_group(group, Signal::KILL)?))
}

/// Lets `stop` end process group `id`, and waits until its leader is gone.
pub(crate) fn end(id: u32, folder: &Path, stop: impl FnOnce() -> Result<()>) -> Result<()> {
    let process = watch(id)?;
    stop()?;
    wait_for(&[&process])?;
    fs::remove_file(folder.join("groups").join(id.to_string()))?;
    Ok(())
}

/// Something that becomes readable when process `id` ends.
pub(crate) fn watch(id: u32) -> Result<OwnedFd> {
    pidfd_open(pid(id)?, PidfdFlags::empty()).with_context(|| format!("process {id} is gone"))
}

/// Whether process `id` ends within `limit`.
pub(crate) fn ends_within(id: u32, limit: Duration) -> Result<bool> {
    let Ok(process) = watch(id) else { return Ok(true) };
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
    Ok(poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit))? > 0)
}

/// Waits until one of `events` is readable, at most two minutes; returns its place.
pub(crate) fn wait_for(events: &[&OwnedFd]) -> Result<usize> {
    let mut watched: Vec<_> = events.iter().map(|event| PollFd::new(event, PollFlags::IN)).collect();
    let limit = Timespec { tv_sec: 120, tv_nsec: 0 };
    poll(&mut watched, Some(&limit))?;
    watched.iter().position(|event| !event.revents().is_empty()).context("nothing happened for two minutes")
}

/// `N` ports that nobody listens on, all different. They lie below those that the system gives to outgoing connections: a
/// server that is stopped finds them free when it starts again.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    // Processes at the same time begin at different places.
    let place = std::process::id().wrapping_mul(64);
    let candidates = (0..12_000).map(|i| 20_000 + (place.wrapping_add(i) % 12_000) as u16);
    let free = candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.take(N).collect::<Vec<_>>().try_into().ok().context("there are no free ports")
}

fn pid(id: u32) -> Result<Pid> {
    Pid::from_raw(id.try_into()?).context("0 is no process")
}
