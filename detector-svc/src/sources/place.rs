//! Where a video is, from what somebody named, and whether videos may come from there. No network.

use std::path::{Path, PathBuf};

use super::Trust;
use super::error::{SourceError, SourceErrorKind};

/// How names of videos end, for lists: what is read is decided by content.
const VIDEO_ENDINGS: [&str; 9] = ["mp4", "m4v", "mov", "mkv", "webm", "ts", "m2ts", "mts", "avi"];

/// Whether a file or object of this name is taken for a video.
#[must_use]
pub fn is_video_name(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    let ending = file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    ending.is_some_and(|(_, ending)| VIDEO_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Where a video is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file, its path without links.
    File(PathBuf),
    /// An object, as `s3://bucket/key`.
    Object(String),
}

impl Place {
    /// The place of a regular file or an object. Looks at the file, not yet at the object.
    pub(super) fn resolve(named: &str) -> Result<Self, SourceError> {
        if named.starts_with("s3://") {
            return Self::of_prefix(named);
        }
        let path = match named.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => path,
            None if !named.contains("://") => named,
            _ => {
                let text = format!("{named} is no source: name a path, file:///path or s3://bucket/key");
                return Err(SourceError::new(SourceErrorKind::Invalid, text));
            }
        };
        let path = Path::new(path);
        let failed = |e| SourceError::io(path, e);
        if !path.metadata().map_err(failed)?.is_file() {
            let text = format!("{} is no regular file: name one video file", path.display());
            return Err(SourceError::new(SourceErrorKind::Invalid, text));
        }
        Ok(Self::File(path.canonicalize().map_err(failed)?))
    }

    /// A place in a bucket. Servers may take `..` for a way up, so no name may have it.
    pub(super) fn of_prefix(url: &str) -> Result<Self, SourceError> {
        let name = url.strip_prefix("s3://").unwrap_or_default();
        if name.is_empty() || name.split('/').any(|part| matches!(part, "." | "..")) {
            let text =
                format!("{url} names no place in a bucket: it is s3://bucket/key, without '.' and '..'");
            return Err(SourceError::new(SourceErrorKind::Invalid, text));
        }
        Ok(Self::Object(url.to_owned()))
    }

    fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Object(url) => url.clone(),
        }
    }
}

/// The places that videos may come from.
#[derive(Debug)]
pub(super) struct Roots(Option<Vec<Place>>);

impl Roots {
    /// What the setting lists; nothing listed is everything, or a mistake, depending on who is trusted.
    pub(super) fn new(listed: &[String], trust: Trust) -> Result<Self, SourceError> {
        if !listed.is_empty() {
            return Ok(Self(Some(listed.iter().map(|root| parse_root(root)).collect())));
        }
        match trust {
            Trust::CommandLine => Ok(Self(None)),
            Trust::Jobs => Err(SourceError::new(
                SourceErrorKind::Settings,
                "source.allowed_roots is empty: name the folders and s3://bucket/prefix places that jobs may take videos \
                 from",
            )),
        }
    }

    /// An error if the place lies outside of all.
    pub(super) fn check(&self, place: &Place) -> Result<(), SourceError> {
        let Some(roots) = &self.0 else { return Ok(()) };
        if roots.iter().any(|root| lies_in(place, root)) {
            return Ok(());
        }
        let text = format!(
            "{} lies outside of source.allowed_roots: move it there, or allow its folder or bucket",
            place.shown()
        );
        Err(SourceError::new(SourceErrorKind::NotAllowed, text))
    }
}

fn parse_root(root: &str) -> Place {
    if root.starts_with("s3://") {
        return Place::Object(root.trim_end_matches('/').to_owned());
    }
    let path = Path::new(root.strip_prefix("file://").unwrap_or(root));
    // Places are without links, so roots must be too.
    Place::File(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
}

fn lies_in(place: &Place, root: &Place) -> bool {
    match (place, root) {
        (Place::File(path), Place::File(root)) => path.starts_with(root),
        (Place::Object(url), Place::Object(root)) => {
            url.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(listed: &[&str]) -> Roots {
        let listed: Vec<_> = listed.iter().map(|&root| root.to_owned()).collect();
        Roots::new(&listed, Trust::Jobs).unwrap()
    }

    fn allows(roots: &Roots, url: &str) -> bool {
        let place = url
            .strip_prefix("file://")
            .map_or_else(|| Place::Object(url.to_owned()), |p| Place::File(p.into()));
        roots.check(&place).is_ok()
    }

    #[test]
    fn a_root_holds_what_lies_below_it_and_not_its_neighbours() {
        let roots = roots(&["/videos", "s3://films/season1/"]);
        for (url, allowed) in [
            ("file:///videos/a.mp4", true),
            ("file:///videos-2/a.mp4", false),
            ("s3://films/season1/a.mp4", true),
            ("s3://films/season1", true),
            ("s3://films/season10/a.mp4", false),
            ("s3://films-2/season1/a.mp4", false),
        ] {
            assert_eq!(allows(&roots, url), allowed, "{url}");
        }
    }

    #[test]
    fn without_roots_the_command_line_may_name_anything_and_jobs_nothing() {
        assert!(allows(&Roots::new(&[], Trust::CommandLine).unwrap(), "file:///any/a.mp4"));
        let error = Roots::new(&[], Trust::Jobs).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Settings);
        assert!(error.to_string().contains("source.allowed_roots"), "{error}");
    }

    #[test]
    fn what_is_neither_a_file_nor_an_object_is_refused() {
        for named in ["http://example.org/a.mp4", "file://host/a", "s3://", "s3://films/a/../b.mp4"] {
            assert_eq!(Place::resolve(named).unwrap_err().kind(), SourceErrorKind::Invalid, "{named}");
        }
        assert_eq!(Place::resolve("concat:a|b").unwrap_err().kind(), SourceErrorKind::NotFound);
        let object = "s3://films/what is this?.mp4";
        assert_eq!(Place::resolve(object).unwrap(), Place::Object(object.to_owned()));
    }

    #[test]
    fn videos_are_known_by_the_ends_of_their_names() {
        for (name, is_video) in [
            ("s3://films/a/E01.MP4", true),
            ("E01.final.mkv", true),
            ("E01.srt", false),
            ("mp4", false),
            ("a.mp4/notes", false),
            (".mp4", false),
        ] {
            assert_eq!(is_video_name(name), is_video, "{name}");
        }
    }
}
