//! The folder of a clip with ground truth, as `facereel bench synth` makes it.

use std::path::{Path, PathBuf};

/// The video in it.
pub(super) fn video(folder: &Path) -> PathBuf {
    folder.join("clip.mp4")
}

/// What tables call the clip: the folder's name, or where `bench synth` was told to fill `parts`, the name of the one
/// around it.
pub(super) fn name(folder: &Path) -> String {
    let named = folder.ancestors().find(|place| place.file_name().is_some_and(|name| name != "parts"));
    named.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_called_as_its_folder() {
        assert_eq!(name(Path::new("data/bench/hard/parts")), "hard");
        assert_eq!(name(Path::new("clips/interview")), "interview");
    }
}
