//! A cast of one's own: a folder of people, a folder of photos for each.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use detector_svc::Detectors;
use facereel_inference::FaceDetector;
use facereel_synth::{Cast, Portrait, SynthError, read_photo};

use crate::console;
use crate::embedded::load_models;
use crate::photos::{PhotoFace, central_face};
use crate::setting_args::SettingArgs;

/// Width at which photos go through the detector.
const WIDTH: u32 = 480;
/// Height of the smallest face that is cut out: smaller ones are mush on the screen, and a judge of nothing.
const SMALLEST_PX: f32 = 48.0;

/// The people in `folder`. Photos that are of no use are named on standard error and passed over.
pub(super) fn cast_in(folder: &Path) -> Result<Cast> {
    let settings = SettingArgs::default().resolve(Vec::new())?.settings;
    let detect = &settings.pipeline.detect;
    let (runtime, models) = load_models(&settings.runtime.models)?;
    let record = detector_svc::detector_record(&models, detect)?;
    let detectors = Detectors::new(runtime, models);
    let mut finder = detectors.take(detect, &[record])?;
    let mut portraits = Vec::new();
    for person in entries(folder)?.into_iter().filter(|entry| entry.is_dir()) {
        for path in entries(&person)?.into_iter().filter(|entry| is_photo(entry)) {
            match portrait(&path, finder.as_mut())? {
                Ok(portrait) => portraits.push(portrait),
                Err(reason) => console::err(format!("passed over {}: {reason}", path.display())),
            }
        }
    }
    Cast::of(&portraits).with_context(|| {
        format!("{}: give it a folder for each person, with one or more photos", folder.display())
    })
}

/// The photo at `path`, or why it is of no use.
fn portrait(path: &Path, finder: &mut dyn FaceDetector) -> Result<Result<Portrait, String>> {
    let picture = match read_photo(path) {
        Ok(picture) => picture,
        Err(SynthError::Undecodable { reason, .. }) => return Ok(Err(reason)),
        Err(other) => return Err(other.into()),
    };
    let Some(PhotoFace { corners, landmarks }) = central_face(&picture, WIDTH, finder)? else {
        return Ok(Err("no face was found in it".to_owned()));
    };
    let height = corners[3] - corners[1];
    if height < SMALLEST_PX {
        return Ok(Err(format!("its face is {height:.0} px high, {SMALLEST_PX} are needed")));
    }
    let photo = name(path);
    let person = path.parent().map(name).unwrap_or_default();
    Ok(Ok(Portrait { photo: format!("{person}/{photo}"), person, picture, corners, landmarks }))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_photo(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["jpg", "jpeg", "png"].iter().any(|known| extension == *known)
}

/// What a folder holds, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("{} can't be read", folder.display());
    let listed = fs::read_dir(folder).with_context(unreadable)?;
    let paths: std::io::Result<Vec<PathBuf>> = listed.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.with_context(unreadable)?;
    paths.sort();
    Ok(paths)
}
