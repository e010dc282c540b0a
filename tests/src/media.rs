//! Where photos lie, and small videos made with the `ffmpeg` program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the photos that clips are composed from.
#[must_use]
pub fn photos() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("FACEREEL_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("facereel")))
        .or_else(|| Some(set("HOME")?.join(".cache/facereel")));
    cache.unwrap_or_default().join("media")
}

/// Runs `ffmpeg` in `folder` with the words of `arguments`.
///
/// # Panics
///
/// Where it can't be run or fails; the message has its last words.
pub fn ffmpeg(folder: &Path, arguments: &str) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("ffmpeg can't be started ({error}): run `make test`"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {arguments}: {said}");
}
