//! The run's files against the list in its commit: there, whole, unchanged, and no others.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use facereel_domain::digest::Sha256Digest;
use facereel_domain::geometry::Size;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_store::{Store, StoreError, if_there};

use super::problems::Problems;
use super::{Checked, Commit, MANIFEST};
use crate::commit::Artifact;
use crate::erase::{Extent, Remains};

/// Folders in which every file must be in the commit.
const FOLDERS: [&str; 3] = ["manifests", "embeds", "frames"];

/// The files of a run, as its commit names them (less what was erased) and as the store has them.
pub(super) struct RunFiles<'a> {
    pub(super) layout: RunLayout,
    pub(super) run: &'a RunRef,
    pub(super) video_size: Size,
    /// How much of the run was erased.
    pub(super) extent: &'a Extent,
    /// Paths of files that were erased.
    erased: &'a BTreeSet<String>,
    pub(super) problems: Problems,
    pub(super) checked: Checked,
    store: &'a dyn Store,
    artifacts: BTreeMap<&'a str, &'a Artifact>,
    /// Sizes by path.
    stored: BTreeMap<String, u64>,
}

impl<'a> RunFiles<'a> {
    /// Compares the commit's list with what is there.
    pub(super) async fn open(
        store: &'a dyn Store,
        (run, manifest, remains): (&'a RunRef, &'a Commit, &'a Remains),
        problems: Problems,
    ) -> Result<Self, StoreError> {
        let layout = RunLayout::new(run);
        let listed = store.list(layout.prefix()).await?;
        let stored = listed.into_iter().map(|object| (layout.relative(&object.key), object.size)).collect();
        let mut files = Self {
            layout,
            run,
            video_size: manifest.video.size,
            extent: &remains.extent,
            erased: &remains.removed,
            problems,
            checked: Checked::default(),
            store,
            artifacts: BTreeMap::new(),
            stored,
        };
        files.take_list(&manifest.artifacts);
        files.find_strangers();
        Ok(files)
    }

    fn take_list(&mut self, artifacts: &'a [Artifact]) {
        for artifact in artifacts {
            let path = artifact.path.as_str();
            if FOLDERS.iter().all(|folder| !path.starts_with(&format!("{folder}/"))) {
                let what = format!("it names '{path}', which is in none of the folders of artifacts");
                self.problems.add(MANIFEST, what);
            } else if self.artifacts.insert(path, artifact).is_some() {
                self.problems.add(MANIFEST, format!("it names '{path}' twice"));
            } else if !self.stored.contains_key(path) {
                self.problems.add(path, "it is missing");
            }
        }
        if !artifacts.is_sorted_by(|a, b| a.path < b.path) {
            self.problems.add(MANIFEST, "its artifacts are not sorted by path");
        }
    }

    fn find_strangers(&mut self) {
        for path in self.stored.keys() {
            let belongs = FOLDERS.iter().any(|folder| path.starts_with(&format!("{folder}/")));
            if belongs && !self.artifacts.contains_key(path.as_str()) {
                let what = if self.erased.contains(path) {
                    "it was erased, and is there again: erase it once more"
                } else {
                    "manifest.json does not name it: a leftover, or added by hand"
                };
                self.problems.add(path, what);
            }
        }
    }

    /// Whether the commit names `path` and it is there.
    pub(super) fn has(&self, path: &str) -> bool {
        self.artifacts.contains_key(path) && self.stored.contains_key(path)
    }

    /// Paths in the commit that begin with `start`, sorted.
    pub(super) fn paths_below(&self, start: &'static str) -> Vec<&'a str> {
        let below = self.artifacts.range(start..).map(|(path, _)| *path);
        below.take_while(|path| path.starts_with(start)).collect()
    }

    /// The content of a file, compared with its size and digest. `None` where the commit does not name it, it is
    /// missing or has another size; content of the right size is returned also where its digest is wrong, so that
    /// what is wrong with it can be named.
    pub(super) async fn read(&mut self, path: &str) -> Result<Option<Bytes>, StoreError> {
        let Some((path, artifact)) = self.artifacts.get_key_value(path) else {
            if !self.erased.contains(path) {
                self.problems.add(MANIFEST, format!("it does not name '{path}', which every run has"));
            }
            return Ok(None);
        };
        // A file that is missing was reported with the list.
        let Some(size) = self.stored.get(*path) else { return Ok(None) };
        if *size != artifact.size_bytes {
            let what = format!("it has {size} bytes, manifest.json says {}", artifact.size_bytes);
            self.problems.add(path, what);
            return Ok(None);
        }
        // A path that lies in the store is a good key.
        let Some(key) = self.layout.artifact(path) else { return Ok(None) };
        let Some(bytes) = if_there(self.store.get(&key).await)? else {
            self.problems.add(path, "it is missing");
            return Ok(None);
        };
        self.checked.artifacts += 1;
        self.checked.bytes += bytes.len() as u64;
        let actual = Sha256Digest::of(&bytes);
        if actual != artifact.sha256 {
            let what = format!("its digest is {actual}, manifest.json says {}", artifact.sha256);
            self.problems.add(path, what);
        }
        Ok(Some(bytes))
    }

    /// Compares a count of rows with the commit's.
    pub(super) fn check_rows(&mut self, path: &str, rows: usize) {
        let stated = self.artifacts.get(path).and_then(|artifact| artifact.rows);
        if stated != Some(rows as u64) {
            let stated = stated.map_or_else(|| "no number".to_owned(), |n| n.to_string());
            self.problems.add(path, format!("it has {rows} rows, manifest.json says {stated}"));
        }
    }

    pub(super) fn finish(self) -> (Checked, Problems) {
        (self.checked, self.problems)
    }
}
