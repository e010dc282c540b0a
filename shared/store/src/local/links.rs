//! Links that make a committed run easy to find: `episodes/ID/manifests` and `episodes/ID/frames`.
//!
//! They are for people and scripts. Readers that must be right follow `current.json`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use facereel_domain::ids::RunRef;
use facereel_domain::layout::{EpisodeLayout, RunLayout};

use super::draft::unique_path;
use crate::error::StoreError;

/// Folders of a run that the episode's folder links to.
const LINKED: [&str; 2] = ["manifests", "frames"];

/// Points the episode's links at `run`; a folder that the run does not have gets none.
pub(super) fn show_committed(root: &Path, run: &RunRef) -> Result<(), StoreError> {
    let run_prefix = RunLayout::new(run).prefix().to_owned();
    let episode_prefix = EpisodeLayout::new(&run.ep_id).prefix().to_owned();
    let episode = root.join(&episode_prefix);
    // The run lies below its episode, so that links survive a move of the whole store.
    let relative = run_prefix.strip_prefix(&episode_prefix).unwrap_or(&run_prefix).trim_start_matches('/');
    for name in LINKED {
        let target = Path::new(relative).join(name);
        link(&episode, name, &target).map_err(|e| {
            StoreError::from_io(e, "link to the run from", &format!("{episode_prefix}/{name}"))
        })?;
    }
    Ok(())
}

fn link(episode: &Path, name: &str, target: &Path) -> io::Result<()> {
    let place = episode.join(name);
    if !episode.join(target).exists() {
        return match fs::remove_file(&place) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
    }
    if fs::read_link(&place).is_ok_and(|old| old == target) {
        return Ok(());
    }
    // Renamed over the old link, so that there is one at every moment.
    let draft = unique_path(episode);
    symlink(target, &draft)?;
    fs::rename(&draft, &place).inspect_err(|_| drop(fs::remove_file(&draft)))
}
