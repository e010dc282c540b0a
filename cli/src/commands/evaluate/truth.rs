//! Ground truth on disk: `gt/gt.txt`, and beside it what is known of shots and people.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use facereel_evaluation::formats::{ByFrame, TrueFace, identities, mot_rows, shot_starts, true_faces};

/// What is known of a clip.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Faces by frame, from 0.
    pub(super) faces: ByFrame<TrueFace>,
    /// First frames of the shots, from 0; empty where they are unknown.
    pub(super) shot_starts: Vec<u64>,
    /// Who each track is; empty where that is unknown.
    pub(super) people: BTreeMap<u32, String>,
}

impl Truth {
    /// Reads `path`: a file of `MOTChallenge` rows, or the folder of a clip that holds `gt/gt.txt`. The clip's
    /// `shots.csv` and `identities.csv` are used where they are there.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = if path.is_dir() { path.join(GT) } else { path.to_owned() };
        let faces = true_faces(&mot_rows(&read(&file)?).with_context(|| file.display().to_string())?);
        let beside =
            |name: &str| file.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|f| f.is_file());
        let mut truth = Self { faces, ..Self::default() };
        if let Some(list) = beside("shots.csv") {
            truth.shot_starts = read_shot_starts(&list)?;
        }
        if let Some(list) = beside("identities.csv") {
            truth.people = identities(&read(&list)?).with_context(|| list.display().to_string())?;
        }
        Ok(truth)
    }
}

/// Where a clip's folder has its rows.
const GT: &str = "gt/gt.txt";

/// First frames of the shots in a list, from 0.
pub(super) fn read_shot_starts(list: &Path) -> Result<Vec<u64>> {
    shot_starts(&read(list)?).with_context(|| list.display().to_string())
}

/// The names and places of the sequences at `path`: one for a file or a clip's folder, else all folders below that
/// hold ground truth, or those that `seqmap` names.
pub(super) fn sequences(path: &Path, seqmap: Option<&Path>) -> Result<Vec<(String, PathBuf)>> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !path.is_dir() || path.join(GT).is_file() {
        return Ok(vec![(name(path), path.to_owned())]);
    }
    if let Some(list) = seqmap {
        let text = read(list)?;
        let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "name");
        return Ok(names.map(|name| (name.to_owned(), path.join(name))).collect());
    }
    let entries = fs::read_dir(path).with_context(|| format!("{} can't be read", path.display()))?;
    let folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut sequences: Vec<_> = folders
        .into_iter()
        .filter(|folder| folder.join(GT).is_file())
        .map(|folder| (name(&folder), folder))
        .collect();
    sequences.sort();
    if sequences.is_empty() {
        bail!("{} holds no {GT}, nor does any folder in it", path.display());
    }
    Ok(sequences)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shots_and_people_are_found_beside_the_folder_of_the_rows() {
        let clip = tempfile::tempdir().unwrap();
        fs::create_dir(clip.path().join("gt")).unwrap();
        fs::write(clip.path().join(GT), "1,1,0,0,5,5,1,1,1\n").unwrap();
        fs::write(clip.path().join("shots.csv"), "first_frame\n1\n25\n").unwrap();
        fs::write(clip.path().join("identities.csv"), "track_id,identity\n1,ada\n").unwrap();
        for path in [clip.path().to_owned(), clip.path().join(GT)] {
            let truth = Truth::read(&path).unwrap();
            assert_eq!((truth.faces.len(), truth.shot_starts), (1, vec![0, 24]));
            assert_eq!(truth.people[&1], "ada");
        }
    }

    #[test]
    fn a_folder_of_sequences_is_read_by_name_or_by_its_list() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            fs::create_dir_all(root.path().join(name).join("gt")).unwrap();
            fs::write(root.path().join(name).join(GT), "").unwrap();
        }
        let names = |list: Option<&Path>| -> Vec<String> {
            sequences(root.path(), list).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(None), ["a", "b"]);
        let list = root.path().join("map.txt");
        fs::write(&list, "name\nb\n").unwrap();
        assert_eq!(names(Some(&list)), ["b"]);
        let empty = tempfile::tempdir().unwrap();
        assert!(sequences(empty.path(), None).is_err());
    }
}
