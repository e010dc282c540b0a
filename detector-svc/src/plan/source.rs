//! From a source's URL to something that can be read, and to its identity.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use facereel_domain::digest::{DigestWriter, Sha256Digest};
use facereel_domain::source::{SourceIdentity, sampled_digest, sampled_ranges};
use facereel_messages::objects::Source;
use facereel_service::StageError;
use facereel_video_decode::Input;

/// How much of a source goes into its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Size and evenly spaced blocks.
    Sampled,
    /// All bytes as well.
    Whole,
}

/// The identity of the file at `path`.
pub fn identify(path: &Path, extent: Identity) -> io::Result<SourceIdentity> {
    let mut file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    let mut sampled = sampled_digest(size_bytes);
    let mut block = Vec::new();
    for (offset, len) in sampled_ranges(size_bytes) {
        file.seek(SeekFrom::Start(offset))?;
        block.resize(len as usize, 0);
        file.read_exact(&mut block)?;
        sampled.update(&block);
    }
    let whole_sha256 = match extent {
        Identity::Sampled => None,
        Identity::Whole => Some(digest_all(&mut file)?),
    };
    Ok(SourceIdentity { size_bytes, sampled_sha256: sampled.finish(), whole_sha256 })
}

fn digest_all(file: &mut File) -> io::Result<Sha256Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut writer = DigestWriter::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(writer.finish()),
            n => writer.update(&buffer[..n]),
        }
    }
}

/// The video behind `source`, after checking that it is still the one the run was asked for: a replaced file fails the
/// run instead of mixing two videos.
pub fn open_source(source: &Source) -> Result<Input, StageError> {
    let path = file_path(&source.url).ok_or_else(|| {
        StageError::refused(format!("{} is no source that can be read: use a file:/// URL", source.url))
    })?;
    // The whole digest was taken when the run was asked for; block by block is enough to see a replaced file.
    let now = identify(&path, Identity::Sampled)
        .map_err(|e| StageError::permanent(format!("{} can't be read", path.display()), e))?;
    if now.sampled_sha256 != source.identity.sampled_sha256 {
        return Err(StageError::refused(format!(
            "{} is not the file it was when the run was asked for; start a new run",
            path.display()
        )));
    }
    Ok(Input::File(path))
}

/// The path of a `file:///…` URL.
fn file_path(url: &str) -> Option<PathBuf> {
    url.strip_prefix("file://").filter(|path| path.starts_with('/')).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn source(path: &Path) -> Source {
        let identity = identify(path, Identity::Whole).unwrap();
        Source { url: format!("file://{}", path.display()), identity }
    }

    #[test]
    fn a_replaced_file_is_noticed_and_a_moved_one_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
        fs::write(&a, vec![7; 10_000_000]).unwrap();
        fs::copy(&a, &b).unwrap();
        assert_eq!(source(&a).identity, source(&b).identity);
        let asked_for = source(&a);
        assert!(open_source(&asked_for).is_ok());
        fs::write(&a, vec![8; 10_000_000]).unwrap();
        let error = open_source(&asked_for).err().unwrap();
        assert!(error.to_string().contains("not the file it was"), "{error}");
    }

    #[test]
    fn only_absolute_files_are_sources() {
        for url in ["http://example.org/a.mp4", "file://host/a", "a.mp4", "concat:a|b"] {
            assert_eq!(file_path(url), None, "{url}");
        }
        assert_eq!(file_path("file:///v/a.mp4"), Some(PathBuf::from("/v/a.mp4")));
    }
}
