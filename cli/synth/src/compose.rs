//! Makes a clip with all its files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cast::Cast;
use crate::encode::Encoder;
use crate::error::SynthError;
use crate::film::Film;
use crate::spec::ClipSpec;
use crate::truth_files;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipSummary {
    /// The video.
    pub clip: PathBuf,
    /// Its frames.
    pub frames: u64,
    /// Its shots.
    pub shots: usize,
    /// Tracks of the ground truth: people, counted once in every shot.
    pub tracks: usize,
    /// Rows of the ground truth.
    pub faces: u64,
}

/// Composes the clip that `spec` describes with the people of `cast` and writes it and its ground truth into the folder
/// `out`, which is made where needed. The clip appears under its name when it is complete. `progress` is told the
/// number of frames done and of all frames.
pub fn compose(
    spec: &ClipSpec,
    cast: Cast,
    out: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ClipSummary, SynthError> {
    let mut film = Film::new(spec, cast)?;
    let file_error = |path: &Path| {
        let path = path.to_owned();
        move |source| SynthError::File { path, source }
    };
    fs::create_dir_all(out.join("gt")).map_err(file_error(out))?;
    let truth = truth_files::write(&film, spec, out)?;

    let clip = out.join("clip.mp4");
    let unfinished = out.join(format!(".clip-{}.mp4", std::process::id()));
    let filmed = film_to(&mut film, spec, &unfinished, progress);
    if let Err(e) = filmed {
        // The reason is in `e`; an unfinished file that can't be deleted adds nothing to it.
        let _ = fs::remove_file(&unfinished);
        return Err(e);
    }
    fs::rename(&unfinished, &clip).map_err(file_error(&clip))?;
    let shots = film.shots().len();
    Ok(ClipSummary { clip, frames: film.frames(), shots, tracks: truth.tracks, faces: truth.faces })
}

fn film_to(
    film: &mut Film,
    spec: &ClipSpec,
    file: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), SynthError> {
    let frames = film.frames();
    let mut encoder = Encoder::start(spec, file)?;
    for frame in 0..frames {
        encoder.write(film.paint(frame))?;
        progress(frame + 1, frames);
    }
    encoder.finish()
}
