//! Whether the models folder holds what it should.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use facereel_domain::digest::{DigestWriter, Sha256Digest};

use super::{ENTRIES, Entry, ModelsDir};

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// There, with the right digest.
    Ready,
    /// Not there, or not readable.
    Missing,
    /// There with other content.
    Damaged,
}

/// An entry and the state of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileStatus {
    /// The entry.
    pub entry: &'static Entry,
    /// Where its file lies or should lie.
    pub path: PathBuf,
    /// How it stands.
    pub state: FileState,
}

/// The state of every file, in the order of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One line an entry.
    pub files: Vec<FileStatus>,
}

impl Report {
    /// Whether nothing is missing or damaged.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.files.iter().all(|f| f.state == FileState::Ready)
    }
}

/// Looks at every file of the folder. Reads each once (60 MB in all) to take its digest, unless its length is wrong
/// already.
#[must_use]
pub fn check(models: &ModelsDir) -> Report {
    let status = |entry: &'static Entry| {
        let path = models.file(entry);
        let state = state_of(&path, entry);
        FileStatus { entry, path, state }
    };
    Report { files: ENTRIES.iter().map(status).collect() }
}

fn state_of(path: &Path, entry: &Entry) -> FileState {
    match path.metadata() {
        Err(_) => FileState::Missing,
        Ok(found) if found.len() != entry.bytes => FileState::Damaged,
        Ok(_) => match digest_of(path) {
            Ok(digest) if digest.to_string() == entry.sha256 => FileState::Ready,
            Ok(_) => FileState::Damaged,
            Err(_) => FileState::Missing,
        },
    }
}

/// The digest of a file's content.
pub(super) fn digest_of(path: &Path) -> io::Result<Sha256Digest> {
    let mut file = File::open(path)?;
    let mut writer = DigestWriter::default();
    let mut block = vec![0; 1 << 18];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(writer.finish()),
            n => writer.update(&block[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn missing_and_damaged_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let models = ModelsDir::new(folder.path());
        fs::write(folder.path().join("centerface.onnx"), b"short").unwrap();
        let length = ENTRIES.iter().find(|e| e.name == "yunet").unwrap().bytes;
        fs::write(folder.path().join("yunet-2023mar.onnx"), vec![0; length as usize]).unwrap();
        let report = check(&models);
        let state = |name: &str| report.files.iter().find(|f| f.entry.name == name).unwrap().state;
        assert_eq!(state("sface"), FileState::Missing);
        assert_eq!(state("centerface"), FileState::Damaged);
        assert_eq!(state("yunet"), FileState::Damaged);
        assert!(!report.is_ready());
    }

    #[test]
    fn every_digest_of_the_table_is_one() {
        for entry in ENTRIES {
            for text in [entry.sha256, entry.member_sha256, entry.package.sha256] {
                assert!(text.parse::<Sha256Digest>().is_ok(), "{}: {text}", entry.name);
            }
        }
    }
}
