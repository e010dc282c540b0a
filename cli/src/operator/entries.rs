//! The videos of a backfill and the episodes that they are.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use detector_svc::{Sources, is_video_name};
use facereel_domain::ids::EpisodeId;

use crate::request::episode_of;

/// A video that somebody names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path or URL.
    pub(crate) video: String,
    /// The episode that it is.
    pub(crate) ep_id: EpisodeId,
}

/// Videos that can't be told apart, or are not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    /// Two videos, one id.
    #[error(
        "{first} and {second} are both episode {ep_id}: give one another id (in a list: URL, tab, id; for one video: \
         --episode)"
    )]
    Duplicate {
        /// The id.
        ep_id: EpisodeId,
        /// The video that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A line that can't be used.
    #[error("{}, line {line}: {reason}", list.display())]
    Line {
        /// The list.
        list: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The list can't be read.
    #[error("the list {} can't be read (check the path; a folder and s3://bucket/prefix work too)", list.display())]
    List {
        /// The list.
        list: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is named.
    #[error("{place} names no video (an object or file counts by the end of its name, as .mp4 or .mkv)")]
    Empty {
        /// Where none is.
        place: String,
    },
}

/// All videos that `place` names: an `s3://bucket/prefix`, a folder with all below it, or a list.
pub(crate) async fn find_entries(place: &str, sources: &Sources) -> Result<Vec<Entry>> {
    let path = Path::new(place.strip_prefix("file://").unwrap_or(place));
    let entries = if place.starts_with("s3://") {
        let found = sources.videos_below(place).await?;
        found.into_iter().map(|video| named_by_itself(video.url)).collect::<Result<Vec<_>>>()?
    } else if path.is_dir() {
        videos_in(path)?.into_iter().map(named_by_itself).collect::<Result<Vec<_>>>()?
    } else {
        let text =
            fs::read_to_string(path).map_err(|source| EntryError::List { list: path.to_owned(), source })?;
        read_list(&text, path)?
    };
    if entries.is_empty() {
        return Err(EntryError::Empty { place: place.to_owned() }.into());
    }
    refuse_duplicates(&entries)?;
    Ok(entries)
}

/// Every id must stand for one video.
pub(crate) fn refuse_duplicates(entries: &[Entry]) -> Result<(), EntryError> {
    let mut seen: BTreeMap<&EpisodeId, &Entry> = BTreeMap::new();
    for entry in entries {
        if let Some(first) = seen.insert(&entry.ep_id, entry) {
            let (first, second) = (first.video.clone(), entry.video.clone());
            return Err(EntryError::Duplicate { ep_id: entry.ep_id.clone(), first, second });
        }
    }
    Ok(())
}

fn named_by_itself(video: String) -> Result<Entry> {
    Ok(Entry { ep_id: episode_of(&video)?, video })
}

/// One video a line, an id behind a tab where its name gives none or the wrong one; `#` begins a comment line.
fn read_list(text: &str, list: &Path) -> Result<Vec<Entry>, EntryError> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let named = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let entry = |(number, line): (usize, &str)| {
        let (video, id) = line.split_once('\t').map_or((line, None), |(video, id)| (video, Some(id.trim())));
        let ep_id = match id {
            Some(id) => id.parse().map_err(anyhow::Error::from),
            None => episode_of(video.trim()),
        };
        let wrong =
            |error| EntryError::Line { list: list.to_owned(), line: number, reason: format!("{error:#}") };
        Ok(Entry { video: video.trim().to_owned(), ep_id: ep_id.map_err(wrong)? })
    };
    named.map(entry).collect()
}

/// Paths of all videos below `folder`, sorted.
fn videos_in(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(text) = path.to_str().filter(|text| is_video_name(text)) {
                found.push(text.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use facereel_domain::settings::RuntimeSettings;

    fn ids(entries: &[Entry]) -> Vec<(&str, &str)> {
        entries.iter().map(|entry| (entry.video.as_str(), entry.ep_id.as_str())).collect()
    }

    async fn found(place: &Path) -> Result<Vec<Entry>> {
        let sources = Sources::new(&RuntimeSettings::default(), detector_svc::Trust::CommandLine).unwrap();
        find_entries(place.to_str().unwrap(), &sources).await
    }

    #[test]
    fn a_list_has_videos_ids_and_comments() {
        let text = "# season 1\ns3://films/a.mp4\n\n  /v/b.mp4\tSHOW-S01E02 \n";
        let entries = read_list(text, Path::new("list")).unwrap();
        assert_eq!(ids(&entries), [("s3://films/a.mp4", "a"), ("/v/b.mp4", "SHOW-S01E02")]);
        let error = read_list("a.mp4\nb.mp4\t../b\n", Path::new("list")).unwrap_err().to_string();
        assert!(error.starts_with("list, line 2: '../b' is no episode id"), "{error}");
    }

    #[tokio::test]
    async fn two_videos_of_one_episode_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        fs::write(&list, "one/E01.mp4\ntwo/E01.mkv\n").unwrap();
        let error = found(&list).await.unwrap_err();
        assert!(error.to_string().contains("one/E01.mp4 and two/E01.mkv are both episode E01"), "{error}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }

    #[tokio::test]
    async fn a_folder_names_the_videos_below_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        for name in ["b.mp4", "notes.txt", "more/a.MKV"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let entries = found(folder.path()).await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.ep_id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        let empty = tempfile::tempdir().unwrap();
        assert!(found(empty.path()).await.unwrap_err().to_string().contains("names no video"));
    }
}
