//! What a run left behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use facereel_domain::geometry::BBox;
use serde_json::Value;

/// The folder of an episode.
#[derive(Debug, Clone)]
pub struct Results {
    /// `OUT/episodes/ID`.
    pub episode: PathBuf,
}

/// A face that a run found.
#[derive(Debug, Clone)]
pub struct FoundFace {
    /// Number of the frame.
    pub frame_idx: u64,
    /// Its box.
    pub bbox: BBox,
    /// Its track, if it has one.
    pub track_id: Option<u64>,
    /// Its frame does not differ from the one before.
    pub reused: bool,
}

impl Results {
    /// The results of the only episode in the store at `out`.
    ///
    /// # Panics
    ///
    /// Where there is not exactly one.
    #[must_use]
    pub fn of_only_episode(out: &Path) -> Self {
        let mut episodes = entries(&out.join("episodes"));
        assert_eq!(episodes.len(), 1, "{}: {episodes:?}", out.display());
        Self { episode: episodes.remove(0) }
    }

    /// The folder of its only run.
    ///
    /// # Panics
    ///
    /// Where there is not exactly one.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        let mut runs = entries(&self.episode.join("runs"));
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// The value in a JSON file of the run.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn json(&self, name: &str) -> Value {
        let path = self.run().join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The rows of a manifest: `tracks`, `faces`, `detections`, `shots`.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn rows(&self, manifest: &str) -> Vec<Value> {
        let path = self.run().join(format!("manifests/{manifest}.jsonl"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
    }

    /// Every detection.
    #[must_use]
    pub fn faces(&self) -> Vec<FoundFace> {
        self.rows("detections").iter().map(found_face).collect()
    }

    /// First frames of the shots after the first.
    #[must_use]
    pub fn cuts(&self) -> Vec<u64> {
        self.rows("shots").iter().skip(1).filter_map(|shot| shot["first_frame_idx"].as_u64()).collect()
    }

    /// Every file of the run that its inputs determine, with its bytes.
    #[must_use]
    pub fn artifacts(&self) -> BTreeMap<String, Vec<u8>> {
        // Times and hosts; settings that only say how fast to work; where the video lies.
        let volatile = ["run_stats.json", "progress.json", "settings.json", "request.mpk"];
        let run = self.run();
        let mut files = BTreeMap::new();
        let mut folders = vec![run.clone()];
        while let Some(folder) = folders.pop() {
            for path in entries(&folder) {
                let name = path.strip_prefix(&run).unwrap_or(&path).to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if !volatile.contains(&name.as_str()) {
                    files.insert(name, fs::read(&path).unwrap_or_default());
                }
            }
        }
        files
    }
}

/// Names of the files that differ between two runs, or that only one of them has.
#[must_use]
pub fn differences(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut names: Vec<&String> =
        a.keys().chain(b.keys()).filter(|name| a.get(*name) != b.get(*name)).collect();
    names.sort();
    names.dedup();
    names.into_iter().cloned().collect()
}

/// What lies in a folder, sorted; nothing where there is no folder.
#[must_use]
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn found_face(row: &Value) -> FoundFace {
    let corner = |i: usize| row["bbox_xyxy"][i].as_f64().expect("a corner is a number") as f32;
    FoundFace {
        frame_idx: row["frame_idx"].as_u64().expect("a frame has a number"),
        bbox: BBox::from_xyxy([corner(0), corner(1), corner(2), corner(3)]).expect("a detection has a box"),
        track_id: row["track_id"].as_u64(),
        reused: row["reused"].as_bool().unwrap_or_default(),
    }
}
