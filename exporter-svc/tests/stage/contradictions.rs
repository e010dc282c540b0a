//! Files that contradict each other, though every digest fits.

use rstest::rstest;
use serde_json::{Value, json};

use crate::damage::{DETECTIONS, FACES, INDEX, METRICS, Run, SHOTS, TRACKS};
use crate::episode::DIM;

#[rstest]
#[case(DETECTIONS, 1, "track_id", json!(99), "track 99 is not in tracks.jsonl")]
#[case(DETECTIONS, 1, "track_id", json!(null), "it is in no track and has no reason")]
#[case(DETECTIONS, 1, "untracked", json!("no_track"), "it is in track 1 and has a reason")]
#[case(DETECTIONS, 1, "face_id", json!("f0000000-07"), "by its place it is 'f0000000-00'")]
#[case(DETECTIONS, 9, "frame_idx", json!(0), "comes after frame")]
#[case(DETECTIONS, 2, "shot", json!(1), "is not in shot 1 of shots.jsonl")]
#[case(DETECTIONS, 2, "shot", json!(1), "track 1 has faces in shot 0 and in shot 1")]
#[case(DETECTIONS, 4, "track_id", json!(1), "track 1 has two boxes in frame 12")]
#[case(DETECTIONS, 1, "bbox_xyxy", json!([5, 5, 5, 9]), "is none inside of 1920x1080 pixels")]
#[case(DETECTIONS, 1, "bbox_xyxy", json!([5, 5, 5000, 9]), "is none inside of 1920x1080 pixels")]
#[case(DETECTIONS, 1, "conf", json!(7.5), "conf is 7.5")]
#[case(TRACKS, 2, "frame_count", json!(15), "track 2: frame_count is 15, detections.jsonl says 16")]
#[case(TRACKS, 2, "first_frame_idx", json!(18), "first_frame_idx is 18")]
#[case(TRACKS, 2, "last_frame_idx", json!(90), "last_frame_idx is 90")]
#[case(TRACKS, 2, "last_ts", json!(3.5), "last_ts is 3.5")]
#[case(TRACKS, 2, "shot", json!(7), "there is no shot 7")]
#[case(TRACKS, 2, "track_id", json!(3), "by its place it is track 2")]
#[case(TRACKS, 2, "crop_count", json!(0), "crop_count is 0")]
#[case(TRACKS, 2, "embedding_row", json!(0), "by its place it is 1")]
#[case(TRACKS, 2, "embedding_model", json!(null), "only one of embedding_row and embedding_model")]
#[case(FACES, 2, "track_id", json!(2), "in detections.jsonl 1")]
#[case(FACES, 2, "embedding_row", json!(7), "embedding_row is 7, by its place it is 1")]
#[case(FACES, 2, "face_id", json!("f9999999-00"), "face_id 'f9999999-00' is not in detections.jsonl")]
#[case(FACES, 2, "bbox_xyxy", json!([1, 1, 2, 2]), "another frame, time or box")]
#[case(FACES, 2, "ts", json!(0.1), "another frame, time or box")]
#[case(FACES, 2, "skip", json!("yaw"), "it has a vector and was refused by the gate 'yaw'")]
#[case(FACES, 2, "crop_rel_path", json!("frames/crops/x.jpg"), "which no index.json has for this face")]
#[case(SHOTS, 2, "shot", json!(5), "by its place it is shot 1")]
#[case(SHOTS, 2, "first_frame_idx", json!(100), "but the shot before ends at frame 119")]
#[case(SHOTS, 2, "first_ts", json!(1.0), "but the shot before ends at frame 119")]
#[case(SHOTS, 2, "last_frame_idx", json!(1), "before it begins")]
#[case(SHOTS, 2, "start", json!("start"), "the first shot, and no other")]
#[case(SHOTS, 1, "tracks", json!(40), "tracks.jsonl has 2 in this shot")]
#[case(INDEX, 0, "track_id", json!(2), "it is the index of track 2")]
#[case(INDEX, 0, "crops", json!([]), "it has 0 rows")]
#[tokio::test]
async fn a_signed_edit_of_a_value_is_named(
    #[case] path: &str,
    #[case] line: usize,
    #[case] field: &str,
    #[case] value: Value,
    #[case] what: &str,
) {
    let run = Run::good().await;
    run.edit((path, line), |row| row[field] = value).await;
    run.assert_problem(path, what).await;
}

#[tokio::test]
async fn a_row_that_is_gone_is_named() {
    let run = Run::good().await;
    let text = String::from_utf8(run.read(DETECTIONS).await.to_vec()).unwrap();
    let shorter: Vec<&str> = text.lines().skip(1).collect();
    run.write(DETECTIONS, shorter.join("\n") + "\n").await;
    run.sign(DETECTIONS, None).await;
    run.assert_problem(DETECTIONS, "rows, manifest.json says").await;
    run.assert_problem(TRACKS, "track 1: frame_count is 20, detections.jsonl says 19").await;
    run.assert_problem("manifest.json", "counts.detections is").await;
}

#[rstest]
#[case("embeds/faces.npy")]
#[case("embeds/tracks.npy")]
#[tokio::test]
async fn vectors_that_do_not_fit_are_named(#[case] path: &str) {
    let run = Run::good().await;
    let good = run.read(path).await;
    run.write(path, good.slice(..good.len() - DIM * 4)).await;
    run.sign(path, None).await;
    run.assert_problem(path, "the data does not fit the shape").await;

    let rows = exporter_svc::npy::decode(&good).unwrap().rows;
    let fewer = exporter_svc::npy::encode(rows.iter().skip(1).map(Vec::as_slice), DIM).unwrap();
    run.write(path, fewer).await;
    run.sign(path, Some(rows.len() as u64 - 1)).await;
    run.assert_problem(path, &format!("it has {} vectors", rows.len() - 1)).await;

    for (factor, shown) in [(1.02, "1.0200"), (f32::NAN, "NaN"), (0.0, "0.0000")] {
        let scaled: Vec<Vec<f32>> = rows.iter().map(|row| row.iter().map(|v| v * factor).collect()).collect();
        run.write(path, exporter_svc::npy::encode(scaled.iter().map(Vec::as_slice), DIM).unwrap()).await;
        run.sign(path, Some(rows.len() as u64)).await;
        run.assert_problem(path, &format!("row 0 has length {shown}, not 1")).await;
    }
}

#[tokio::test]
async fn a_crop_that_is_no_picture_is_named() {
    let run = Run::good().await;
    let crop = run.a_crop().await;
    for broken in [&b""[..], b"<html>", b"\xFF\xD8\xFF\xE0 cut off"] {
        run.write(&crop, broken).await;
        run.sign(&crop, None).await;
        run.assert_problem(&crop, "it is no whole JPEG").await;
    }
}

#[tokio::test]
async fn a_crop_in_no_index_and_an_index_without_its_crop_are_named() {
    let run = Run::good().await;
    let crop = run.a_crop().await;
    run.edit((INDEX, 0), |index| drop(index["crops"].as_array_mut().unwrap().remove(0))).await;
    run.assert_problem(&crop, "no index.json names it").await;
    let run = Run::good().await;
    run.edit_manifest(|manifest| manifest.artifacts.retain(|artifact| artifact.path != crop)).await;
    run.assert_problem(INDEX, &format!("'{crop}' is missing")).await;
    run.assert_problem("manifest.json", "counts.crops is").await;
}

#[tokio::test]
async fn a_sampled_box_that_is_nobodys_is_named() {
    let run = Run::good().await;
    run.edit((TRACKS, 1), |row| row["bboxes_sampled"][0]["frame_idx"] = json!(6)).await;
    run.assert_problem(TRACKS, "a box in frame 6 that is no face of the track").await;
}

#[tokio::test]
async fn wrong_counts_in_the_commit_are_named() {
    let run = Run::good().await;
    run.edit_manifest(|manifest| {
        let counts = &mut manifest.counts;
        for count in [
            &mut counts.shots,
            &mut counts.frames_analysed,
            &mut counts.detections,
            &mut counts.tracks,
            &mut counts.faces,
            &mut counts.embeddings,
            &mut counts.crops,
        ] {
            *count += 1;
        }
    })
    .await;
    for name in ["shots", "frames_analysed", "detections", "tracks", "faces", "embeddings", "crops"] {
        run.assert_problem("manifest.json", &format!("counts.{name} is")).await;
    }
    for name in ["detections", "faces"] {
        run.assert_problem(METRICS, &format!("{name} sums up to")).await;
    }
}
