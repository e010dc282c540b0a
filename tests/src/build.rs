//! What belongs to this build: its programs, and what tests make once and share.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

/// The program under test: `facereel` of the same profile as the running test.
///
/// # Panics
///
/// Where it was not built.
#[must_use]
pub fn program() -> PathBuf {
    built("facereel")
}

/// A service under test, likewise.
///
/// # Panics
///
/// Where it was not built.
#[must_use]
pub fn service(name: &str) -> PathBuf {
    built(name)
}

fn built(package: &str) -> PathBuf {
    let program = profile_folder().join(package);
    assert!(program.is_file(), "{} is missing: run `cargo build -p {package}`", program.display());
    program
}

/// The folder that `make` filled under `name`, once for each build of program and test, whichever process comes first.
///
/// Tests run in processes of their own, many at once: the others wait until it is complete.
pub fn made_once(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let shared = profile_folder().join("facereel-tests").join(name);
    fs::create_dir_all(&shared).with_context(|| format!("{} can't be made", shared.display()))?;
    // Held until the end of this function; gone with the process, however it ends.
    let lock = File::create(shared.join("lock"))?;
    lock.lock()?;
    let folder = shared.join("content");
    let stamp = shared.join("made-for");
    let build = format!("{}\n{}", age(&program())?, age(&std::env::current_exe()?)?);
    if fs::read_to_string(&stamp).is_ok_and(|made_for| made_for == build) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    make(&folder).with_context(|| format!("'{name}' can't be made"))?;
    fs::write(&stamp, build)?;
    Ok(folder)
}

/// `target/PROFILE`: test programs lie in its folder `deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    test.parent().and_then(Path::parent).map(Path::to_owned).unwrap_or_default()
}

fn age(file: &Path) -> Result<String> {
    let metadata = file.metadata().with_context(|| format!("{} can't be looked at", file.display()))?;
    let built = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{} {}", metadata.len(), built.as_nanos()))
}
