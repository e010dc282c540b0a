//! Which faces are exported as pictures, and that the pictures are the right ones.

use exporter_svc::manifests::{CropIndex, DetectionRow};
use facereel_domain::settings::CropSettings;
use facereel_store::Store;

use crate::episode::{Episode, STRIDE, Walk, quality};
use crate::harness::{exported, file, rows};

async fn index(episode: &Episode, store: &dyn Store, track: u32) -> CropIndex {
    let path = format!("frames/crops/track_{track:04}/index.json");
    serde_json::from_slice(&file(episode, store, &path).await).unwrap()
}

/// The analysed frames whose faces of the track were exported.
async fn places(episode: &Episode, track: u32) -> Vec<u64> {
    let store = exported(episode).await;
    let index = index(episode, &*store, track).await;
    index.crops.iter().map(|crop| crop.frame_idx / STRIDE).collect()
}

fn one_long_track(crops: CropSettings) -> Episode {
    let mut episode = Episode::blank(60, &[0]);
    episode.request.pipeline.crops = crops;
    episode.walk(&Walk::of(0, 0..60));
    episode
}

fn set_score(episode: &mut Episode, place: usize, score: f32) {
    episode.tracks.frames[place].faces[0].detection.quality = Some(quality(score));
}

#[tokio::test]
async fn the_best_of_each_stretch_of_a_track_is_exported() {
    let mut episode = one_long_track(CropSettings { per_track: 3, ..CropSettings::default() });
    for (place, score) in [(11, 0.95), (12, 0.94), (33, 0.96), (57, 0.91)] {
        set_score(&mut episode, place, score);
    }
    assert_eq!(places(&episode, 1).await, [11, 33, 57]);
}

#[tokio::test]
async fn one_in_many_is_exported_where_that_is_asked_for_whatever_its_quality() {
    let mut episode = one_long_track(CropSettings { skip: 8, ..CropSettings::default() });
    // The first track is one step ahead.
    let expected: Vec<u64> = (7..60).step_by(8).collect();
    assert_eq!(places(&episode, 1).await, expected);
    set_score(&mut episode, 7, 0.01);
    set_score(&mut episode, 8, 1.0);
    assert_eq!(places(&episode, 1).await, expected);
}

#[tokio::test]
async fn one_in_many_depends_on_the_tracks_number_and_not_on_who_else_is_there() {
    let mut episode = Episode::blank(40, &[0]);
    episode.request.pipeline.crops.skip = 8;
    episode.walk(&Walk::of(0, 0..40));
    episode.walk(&Walk::of(1, 0..40));
    let alone = places(&episode, 2).await;
    episode.walk(&Walk::of(2, 5..40));
    assert_eq!(places(&episode, 2).await, alone);
    assert_ne!(places(&episode, 1).await, alone, "crops of a crowd don't come all from the same frames");
}

#[tokio::test]
async fn every_track_has_a_crop_also_where_few_are_wanted() {
    for crops in [
        CropSettings { skip: 1000, ..CropSettings::default() },
        CropSettings { per_track: 1, ..CropSettings::default() },
    ] {
        let mut episode = Episode::typical();
        episode.request.pipeline.crops = crops;
        let store = exported(&episode).await;
        for track in 1..=6 {
            assert_eq!(index(&episode, &*store, track).await.crops.len(), 1, "track {track}");
        }
    }
}

#[tokio::test]
async fn the_default_exports_a_fifth_of_a_long_track_or_less() {
    let default = places(&one_long_track(CropSettings::default()), 1).await;
    let unsampled =
        places(&one_long_track(CropSettings { per_track: 0, ..CropSettings::default() }), 1).await;
    assert_eq!(unsampled.len(), 60);
    assert!(default.len() * 5 <= unsampled.len(), "{} of {}", default.len(), unsampled.len());
}

#[tokio::test]
async fn repeated_frames_are_not_exported_again() {
    let mut episode = Episode::blank(12, &[0]);
    episode.request.pipeline.crops.per_track = 0;
    episode.walk(&Walk::of(0, 0..12));
    for place in 4..9 {
        episode.reuse(place);
    }
    assert_eq!(places(&episode, 1).await, [0, 1, 2, 3, 9, 10, 11]);
}

#[tokio::test]
async fn a_track_that_is_all_repeated_frames_has_a_crop_all_the_same() {
    let mut episode = Episode::blank(12, &[0]);
    episode.request.pipeline.crops.per_track = 1;
    episode.walk(&Walk::of(0, 0..12));
    episode.tracks.tracklets[0].observations.drain(..4);
    for frame in &mut episode.tracks.frames[4..] {
        frame.reused = true;
    }
    assert_eq!(places(&episode, 1).await.len(), 1);
}

#[tokio::test]
async fn each_crop_is_the_chip_of_its_face() {
    let episode = Episode::typical();
    let store = exported(&episode).await;
    let detections: Vec<DetectionRow> = rows(&episode, &*store, "manifests/detections.jsonl").await;
    for track in 1..=6 {
        for crop in index(&episode, &*store, track).await.crops {
            let picture = file(&episode, &*store, &crop.crop_rel_path).await;
            let text = String::from_utf8_lossy(&picture).into_owned();
            assert!(text.contains(&format!("chip of {}", crop.face_id)), "{}: {text}", crop.crop_rel_path);
            let detection = detections.iter().find(|row| row.face_id == crop.face_id).unwrap();
            assert_eq!(detection.track_id, Some(track));
        }
    }
}
