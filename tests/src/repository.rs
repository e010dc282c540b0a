//! The repository's files.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are made, not kept: builds, results, caches, history.
const NOT_KEPT: [&str; 4] = ["target", "data", ".cache", ".git"];

/// The repository's root.
#[must_use]
pub fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// A file of the repository.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the root.
    pub path: PathBuf,
    /// Its content; bytes that are no UTF-8 replaced.
    pub text: String,
}

impl SourceFile {
    /// Whether the path ends in `extension` (without a dot).
    #[must_use]
    pub fn has_extension(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|e| e == extension)
    }

    /// Whether one of the folders on the way to the file is called `name`.
    #[must_use]
    pub fn lies_in(&self, name: &str) -> bool {
        self.path.parent().is_some_and(|folder| folder.iter().any(|part| part == name))
    }

    /// Lines with their numbers from 1, up to the unit tests that end the file.
    pub fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines()).take_while(|(_, line)| *line != "mod tests {")
    }
}

/// Every kept file, sorted by path.
#[must_use]
pub fn files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(&path).ok()?).into_owned();
        let path = path.strip_prefix(root()).unwrap_or(&path).to_owned();
        Some(SourceFile { path, text })
    };
    paths.into_iter().filter_map(read).collect()
}

/// Every Rust file.
#[must_use]
pub fn rust_files() -> Vec<SourceFile> {
    files().into_iter().filter(|file| file.has_extension("rs")).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_kept = !NOT_KEPT.iter().any(|name| entry.file_name() == *name);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && is_kept => collect(&entry.path(), paths),
            Ok(kind) if kind.is_file() => paths.push(entry.path()),
            _ => {}
        }
    }
}
