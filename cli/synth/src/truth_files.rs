//! Writes the ground truth in the formats of the trade.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::error::SynthError;
use crate::film::Film;
use crate::spec::ClipSpec;

/// How much truth was written.
pub(crate) struct TruthCount {
    pub(crate) faces: u64,
    pub(crate) tracks: usize,
}

/// Writes all truth files of `film` into the folder `out`.
pub(crate) fn write(film: &Film, spec: &ClipSpec, out: &Path) -> Result<TruthCount, SynthError> {
    let mut mot = String::new();
    let mut faces = String::from(FACES_HEADER);
    let mut tracks = BTreeMap::new();
    let mut count = 0;
    for frame in 0..film.frames() {
        let shot = film.shot_of(frame);
        for face in film.truth(frame) {
            let [x0, y0, x1, y1] = face.bbox.xyxy();
            let place = format!("{x0:.2},{y0:.2},{:.2},{:.2}", x1 - x0, y1 - y0);
            // Writing to a string can't fail.
            let _ = writeln!(mot, "{},{},{place},1,1,{:.3}", frame + 1, face.track, face.visibility);
            let _ = write!(faces, "{},{},{},{shot}", frame + 1, face.track, face.identity);
            let _ = write!(faces, ",{place},{:.3},{}", face.visibility, face.photo);
            for point in face.landmarks.0 {
                let _ = write!(faces, ",{:.2},{:.2}", point.x, point.y);
            }
            faces.push('\n');
            tracks.insert(face.track, (shot, face.identity, face.photo));
            count += 1;
        }
    }
    let mut identities = String::from("track_id,shot,identity,photo\n");
    for (track, (shot, identity, photo)) in &tracks {
        let _ = writeln!(identities, "{track},{shot},{identity},{photo}");
    }
    save(&out.join("gt").join("gt.txt"), &mot)?;
    save(&out.join("gt_faces.csv"), &faces)?;
    save(&out.join("identities.csv"), &identities)?;
    save(&out.join("shots.csv"), &shots_csv(film))?;
    save(&out.join("seqinfo.ini"), &seqinfo(film, spec))?;
    Ok(TruthCount { faces: count, tracks: tracks.len() })
}

const FACES_HEADER: &str =
    "frame,track_id,identity,shot,x,y,w,h,visibility,photo,x0,y0,x1,y1,x2,y2,x3,y3,x4,y4\n";

fn shots_csv(film: &Film) -> String {
    let mut text =
        String::from("shot,first_frame,last_frame,kind,transition,still_first,still_last,counted_from\n");
    for (i, shot) in film.shots().iter().enumerate() {
        let still =
            shot.still_frames.as_ref().map_or(",".to_owned(), |s| format!("{},{}", s.start, s.end - 1));
        let (first, last) = (shot.frames.start, shot.frames.end - 1);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{i},{first},{last},{},{},{still},0", shot.kind, shot.transition);
    }
    text
}

fn seqinfo(film: &Film, spec: &ClipSpec) -> String {
    format!(
        "[Sequence]\nname={}\nimDir=img1\nframeRate={}\nseqLength={}\nimWidth={}\nimHeight={}\nimExt=.jpg\n",
        spec.preset,
        spec.fps.to_f64(),
        film.frames(),
        spec.size.width,
        spec.size.height,
    )
}

fn save(path: &Path, text: &str) -> Result<(), SynthError> {
    fs::write(path, text).map_err(|source| SynthError::File { path: path.to_owned(), source })
}
