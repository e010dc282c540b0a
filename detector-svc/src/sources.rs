//! Videos, wherever they are: from what somebody names to an identity, and from there to bytes that can be decoded.
//!
//! Promises:
//!
//! 1. **The same bytes are the same source**, as a file or as an object, wherever they lie.
//! 2. **Only allowed places are read.** A service takes jobs from others and reads nothing outside of
//!    `source.allowed_roots`; a name is resolved first, so that no link and no `..` leads out of them.
//! 3. **Never two videos in one run.** A source is compared with what it was when the run was asked for: a file by its
//!    digest, an object by its ETag, with every request. A replaced one is a permanent error.
//! 4. **Objects are read in pieces**, where a segment is, never whole for each segment.

mod error;
mod identity;
mod place;
mod video;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use facereel_domain::settings::{RuntimeSettings, SourceSettings};
use facereel_domain::source::SourceIdentity;
use facereel_messages::objects::Source;
use facereel_store::s3::{ObjectSource, ObjectVersion};
use facereel_store::{S3Options, S3Sources};
use facereel_video_decode::Input;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

pub use self::error::{SourceError, SourceErrorKind};
pub use self::identity::Identity;
pub use self::place::is_video_name;

use self::place::{Place, Roots};
use self::video::ObjectVideo;

/// Whom a process takes videos' names from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// From whoever started it: without allowed roots every place is allowed.
    CommandLine,
    /// From jobs, which anybody may have written: allowed roots must be named.
    Jobs,
}

/// Where videos may come from, and the way there. Clones share connections.
#[derive(Debug, Clone)]
pub struct Sources(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    roots: Roots,
    s3: S3Options,
    /// Made by the first object.
    server: OnceCell<S3Sources>,
}

/// A video that a list showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVideo {
    /// `s3://bucket/key`.
    pub url: String,
    /// Its length in bytes.
    pub size_bytes: u64,
}

impl Sources {
    /// The sources that the settings allow; asks nobody yet.
    pub fn new(settings: &RuntimeSettings, trust: Trust) -> Result<Self, SourceError> {
        let s3 = S3Options::from_settings(&settings.store).map_err(SourceError::settings)?;
        Self::reached_by(s3, &settings.source, trust)
    }

    /// The same, with objects reached as `s3` says.
    pub fn reached_by(s3: S3Options, settings: &SourceSettings, trust: Trust) -> Result<Self, SourceError> {
        let roots = Roots::new(&settings.allowed_roots, trust)?;
        Ok(Self(Arc::new(Shared { roots, s3, server: OnceCell::new() })))
    }

    /// What `named` (a path, `file:///…` or `s3://bucket/key`) is now.
    pub async fn describe(&self, named: &str, extent: Identity) -> Result<Source, SourceError> {
        match self.allowed(named)? {
            Place::File(path) => {
                let url = path.to_str().map(|path| format!("file://{path}"));
                let url = url.ok_or_else(|| SourceError::not_utf8(&path))?;
                Ok(Source { url, identity: identity_of_file(path, extent).await?, etag: None })
            }
            Place::Object(url) => {
                let object = self.found(&url).await?;
                let identity = identity_of_object(&object, extent).await?;
                Ok(Source { url, identity, etag: Some(object.version().etag.clone()) })
            }
        }
    }

    /// The video behind `source`, which must still be the one that it was when the run was asked for. Of an object only
    /// reading can tell.
    pub async fn open(&self, source: &Source) -> Result<Input, SourceError> {
        match self.allowed(&source.url)? {
            Place::File(path) => {
                // The whole digest was taken when the run was asked for; block by block is enough to see another file.
                let now = identity_of_file(path.clone(), Identity::Sampled).await?;
                unchanged(source, &now)?;
                Ok(Input::File(path))
            }
            Place::Object(url) => {
                let object = if let Some(etag) = &source.etag {
                    let version = ObjectVersion { size: source.identity.size_bytes, etag: etag.clone() };
                    let server = self.server(&url).await?;
                    server.pinned(&url, version).map_err(|e| SourceError::store(&url, e))?
                } else {
                    let object = self.found(&url).await?;
                    unchanged(source, &identity_of_object(&object, Identity::Sampled).await?)?;
                    object
                };
                Ok(Input::Stream(Arc::new(ObjectVideo::new(object))))
            }
        }
    }

    /// All objects below `s3://bucket/prefix` that are videos by name, sorted.
    pub async fn videos_below(&self, prefix: &str) -> Result<Vec<FoundVideo>, SourceError> {
        self.0.roots.check(&Place::of_prefix(prefix)?)?;
        let listed = self.server(prefix).await?.list(prefix).await;
        let objects = listed.map_err(|e| SourceError::store(prefix, e))?.into_iter();
        let videos = objects.filter(|object| is_video_name(&object.url));
        Ok(videos.map(|object| FoundVideo { url: object.url, size_bytes: object.size }).collect())
    }

    fn allowed(&self, named: &str) -> Result<Place, SourceError> {
        let place = Place::resolve(named)?;
        self.0.roots.check(&place)?;
        Ok(place)
    }

    async fn found(&self, url: &str) -> Result<ObjectSource, SourceError> {
        self.server(url).await?.find(url).await.map_err(|e| SourceError::store(url, e))
    }

    async fn server(&self, url: &str) -> Result<&S3Sources, SourceError> {
        let connect = || S3Sources::connect(&self.0.s3);
        self.0.server.get_or_try_init(connect).await.map_err(|e| SourceError::store(url, e))
    }
}

async fn identity_of_file(path: PathBuf, extent: Identity) -> Result<SourceIdentity, SourceError> {
    let shown = path.display().to_string();
    let taken = spawn_blocking(move || identity::of_file(&path, extent)).await;
    taken.map_err(SourceError::interrupted)?.map_err(|e| SourceError::io(Path::new(&shown), e))
}

async fn identity_of_object(object: &ObjectSource, extent: Identity) -> Result<SourceIdentity, SourceError> {
    identity::of_object(object, extent).await.map_err(|e| SourceError::store(object.url(), e))
}

fn unchanged(source: &Source, now: &SourceIdentity) -> Result<(), SourceError> {
    let is_same = now.sampled_sha256 == source.identity.sampled_sha256;
    if is_same { Ok(()) } else { Err(SourceError::replaced(&source.url)) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sources(roots: &[&Path]) -> Sources {
        let mut settings = RuntimeSettings::default();
        settings.source.allowed_roots = roots.iter().map(|root| root.display().to_string()).collect();
        let trust = if roots.is_empty() { Trust::CommandLine } else { Trust::Jobs };
        Sources::new(&settings, trust).unwrap()
    }

    async fn described(path: &Path) -> Source {
        sources(&[]).describe(path.to_str().unwrap(), Identity::Whole).await.unwrap()
    }

    #[tokio::test]
    async fn a_replaced_file_is_noticed_and_a_moved_one_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
        fs::write(&a, vec![7; 10_000_000]).unwrap();
        fs::copy(&a, &b).unwrap();
        let asked_for = described(&a).await;
        assert_eq!(asked_for.identity, described(&b).await.identity);
        assert!(sources(&[]).open(&asked_for).await.is_ok());
        fs::write(&a, vec![8; 10_000_000]).unwrap();
        let error = sources(&[]).open(&asked_for).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Replaced);
        assert!(error.to_string().contains("start a new run") && error.is_permanent(), "{error}");
    }

    #[tokio::test]
    async fn a_job_reads_nothing_outside_of_the_allowed_roots() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        for place in [&inside, &outside] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("a.mp4"), b"video").unwrap();
        }
        std::os::unix::fs::symlink(outside.join("a.mp4"), inside.join("link.mp4")).unwrap();
        let source = described(&inside.join("a.mp4")).await;
        let service = sources(&[&inside]);
        assert!(service.open(&source).await.is_ok());
        for name in ["in/../out/a.mp4", "out/a.mp4", "in/link.mp4"] {
            let url = format!("file://{}/{name}", folder.path().display());
            let error = service.open(&Source { url, ..source.clone() }).await.unwrap_err();
            assert_eq!(error.kind(), SourceErrorKind::NotAllowed, "{name}: {error}");
        }
    }

    #[tokio::test]
    async fn what_is_no_readable_file_is_refused_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        for (path, kind, advice) in [
            (folder.path().to_owned(), SourceErrorKind::Invalid, "no regular file"),
            (folder.path().join("none.mp4"), SourceErrorKind::NotFound, "check the path"),
        ] {
            let error = sources(&[]).describe(path.to_str().unwrap(), Identity::Sampled).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}
