//! Crops and their indexes: every crop is a JPEG that its track's index names, every entry a face of the track.

use std::collections::BTreeMap;

use facereel_domain::ids::TrackId;
use facereel_store::StoreError;

use super::artifacts::RunFiles;
use super::faces::is_same_sight;
use super::{Contents, MANIFEST, faces, rows, tracks};
use crate::manifests::{CropIndex, CropRow};

/// What every JPEG begins and ends with.
const JPEG_START: [u8; 3] = [0xFF, 0xD8, 0xFF];
const JPEG_END: [u8; 2] = [0xFF, 0xD9];

/// Checks all crops, one at a time.
pub(super) async fn check(contents: &Contents, files: &mut RunFiles<'_>) -> Result<(), StoreError> {
    let mut indexed = Indexed::default();
    let (indices, crops): (Vec<&str>, Vec<&str>) =
        files.paths_below("frames/").into_iter().partition(|path| path.ends_with("/index.json"));
    for path in indices {
        if let Some(index) = rows::read_stamped::<CropIndex>(files, path).await? {
            check_index(path, (&index, contents), files);
            indexed.take(index);
        }
    }
    for path in &crops {
        check_picture(path, files).await?;
        if !indexed.faces.contains_key(*path) {
            files.problems.add(path, "no index.json names it");
        }
    }
    files.checked.crops = crops.len() as u64;
    check_counts(contents, &indexed, files);
    check_faces(contents, &indexed, files);
    Ok(())
}

/// What the indexes say.
#[derive(Default)]
struct Indexed {
    /// Names of faces by path of their crop.
    faces: BTreeMap<String, String>,
    /// Crops by track.
    counts: BTreeMap<u32, u64>,
}

impl Indexed {
    fn take(&mut self, index: CropIndex) {
        self.counts.insert(index.track_id, index.crops.len() as u64);
        self.faces.extend(index.crops.into_iter().map(|crop| (crop.crop_rel_path, crop.face_id)));
    }
}

fn check_index(path: &str, (index, contents): (&CropIndex, &Contents), files: &mut RunFiles<'_>) {
    files.check_rows(path, index.crops.len());
    let expected = files.layout.relative(&files.layout.crop_index(TrackId(index.track_id)));
    if path != expected {
        files.problems.add(path, format!("it is the index of track {}", index.track_id));
    }
    if !index.crops.is_sorted_by(|a, b| a.frame_idx < b.frame_idx) {
        files.problems.add(path, "its crops are not in order of time");
    }
    for crop in &index.crops {
        for what in wrong_crop(index.track_id, (crop, contents), files) {
            files.problems.add(path, what);
        }
    }
}

fn wrong_crop(track_id: u32, (crop, contents): (&CropRow, &Contents), files: &RunFiles<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let CropRow { face_id, frame_idx, crop_rel_path, .. } = crop;
    let (_, expected) = files.layout.crop(TrackId(track_id), *frame_idx);
    if *crop_rel_path != expected {
        wrong.push(format!("the crop of face '{face_id}' is '{crop_rel_path}', it should be '{expected}'"));
    }
    if !files.has(crop_rel_path) {
        wrong.push(format!("'{crop_rel_path}' is missing"));
    }
    let Some(detections) = &contents.detections else { return wrong };
    match detections.face(face_id) {
        None => wrong.push(format!("face_id '{face_id}' is not in detections.jsonl")),
        Some(seen) if seen.track_id != Some(track_id) => {
            wrong.push(format!("face '{face_id}' is not in track {track_id} of detections.jsonl"));
        }
        Some(seen) if !is_same_sight((*frame_idx, crop.ts, crop.bbox_xyxy), seen) => {
            let what = format!("face '{face_id}' has another frame, time or box than in detections.jsonl");
            wrong.push(what);
        }
        Some(_) => {}
    }
    wrong
}

async fn check_picture(path: &str, files: &mut RunFiles<'_>) -> Result<(), StoreError> {
    let Some(bytes) = files.read(path).await? else { return Ok(()) };
    if !(bytes.starts_with(&JPEG_START) && bytes.ends_with(&JPEG_END)) {
        files.problems.add(path, "it is no whole JPEG");
    }
    Ok(())
}

/// The indexes hold as many crops as `tracks.jsonl` says.
fn check_counts(contents: &Contents, indexed: &Indexed, files: &mut RunFiles<'_>) {
    let Some(rows) = &contents.tracks else { return };
    for (line, track) in (1..).zip(rows) {
        let found = indexed.counts.get(&track.track_id).copied().unwrap_or(0);
        if found != track.crop_count {
            let what = format!("crop_count is {}, the track's index.json has {found}", track.crop_count);
            files.problems.at_line(tracks::TRACKS, line, what);
        }
    }
    for id in indexed.counts.keys() {
        if !(1..=rows.len()).contains(&(*id as usize)) {
            files.problems.add(tracks::TRACKS, format!("there are crops of track {id}, but no such track"));
        }
    }
}

/// Faces name the crop that the index has for them.
fn check_faces(contents: &Contents, indexed: &Indexed, files: &mut RunFiles<'_>) {
    let by_face: BTreeMap<&str, &str> =
        indexed.faces.iter().map(|(path, face)| (face.as_str(), path.as_str())).collect();
    for (line, face) in (1..).zip(contents.faces.iter().flatten()) {
        let in_index = by_face.get(face.face_id.as_str()).copied();
        match (face.crop_rel_path.as_deref(), in_index) {
            (Some(stated), found) if found != Some(stated) => {
                let what = format!("crop_rel_path is '{stated}', which no index.json has for this face");
                files.problems.at_line(faces::PATH, line, what);
            }
            (None, Some(found)) => {
                let what = format!("crop_rel_path is null, an index.json has '{found}' for this face");
                files.problems.at_line(faces::PATH, line, what);
            }
            _ => {}
        }
    }
}

/// The commit counts the crops that are there.
pub(super) fn check_total(stated: u64, files: &mut RunFiles<'_>) {
    let found = files.checked.crops;
    if found != stated {
        files.problems.add(MANIFEST, format!("counts.crops is {stated}, it names {found} crops"));
    }
}
