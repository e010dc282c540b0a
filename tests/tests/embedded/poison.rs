//! Input that is broken, odd or hostile: a verified run, or a clear error that leaves no results behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use facereel_tests::build;
use facereel_tests::clip::Clip;
use facereel_tests::media::ffmpeg;
use facereel_tests::program::Call;
use facereel_tests::results::{Results, entries};
use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Half the size and two seconds of the clip, two people talking, with a keyframe every half second.
fn scene() -> PathBuf {
    let folder = build::made_once("scene", |folder| {
        let clip = Clip::of_everything().video();
        ffmpeg(
            folder,
            &format!("-i {} -t 2 -c:v libx264 -preset ultrafast -g 12 -bf 2 -an scene.mp4", clip.display()),
        );
        Ok(())
    });
    folder.unwrap_or_else(|error| panic!("{error:#}")).join("scene.mp4")
}

/// What `ffmpeg` makes of the scene with these options, as `name`.
fn made(folder: &Path, options: &str, name: &str) -> PathBuf {
    ffmpeg(folder, &format!("-i {} {options} {name}", scene().display()));
    folder.join(name)
}

/// A verified run with at least one track, and the folder that goes with it.
struct GoodRun {
    results: Results,
    _store: TempDir,
}

impl GoodRun {
    fn on(video: &Path) -> Self {
        let store = tempdir().expect("a folder");
        Call::run(video, store.path()).with(&["--no-embed"]).succeed();
        Call::verify(store.path()).succeed();
        let results = Results::of_only_episode(store.path());
        assert!(!results.rows("tracks").is_empty(), "no track in {}", video.display());
        Self { results, _store: store }
    }

    fn tracks(&self) -> usize {
        self.results.rows("tracks").len()
    }

    fn manifest(&self) -> Value {
        self.results.json("manifest.json")
    }
}

/// Runs on `video` and insists on an error of the input that says `why`, and on no results.
fn refused(call: &Call, out: &Path, why: &str) {
    let ended = call.finish();
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    assert!(ended.said.contains(why), "no '{why}' in: {}", ended.said);
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
    assert!(!has_results(out), "{} has results", out.display());
}

fn has_results(folder: &Path) -> bool {
    entries(folder).iter().any(|path| {
        if path.is_dir() {
            has_results(path)
        } else {
            path.ends_with("manifest.json") || path.ends_with("current.json")
        }
    })
}

#[rstest]
#[case::variable_frame_rate("-vf select=lt(n\\,20)+not(mod(n\\,3)) -fps_mode vfr -c:v libx264", "vfr.mp4")]
#[case::edit_list("-ss 0.3 -c copy", "edited.mp4")]
#[case::odd_size("-vf scale=639:359 -pix_fmt yuv444p -c:v libx264", "odd.mkv")]
#[case::ten_bits("-pix_fmt yuv420p10le -c:v libx264", "deep.mp4")]
#[case::interlaced("-vf setfield=tff -flags +ilme+ildct -c:v libx264", "interlaced.mp4")]
#[case::another_codec("-c:v mpeg2video -q:v 3", "old.ts")]
fn odd_video_gives_a_verified_run(#[case] options: &str, #[case] name: &str) {
    let folder = tempdir().unwrap();
    GoodRun::on(&made(folder.path(), options, name));
}

#[test]
fn a_rotated_video_is_seen_upright() {
    let folder = tempdir().unwrap();
    // The pixels lie on their side, and a flag in the container says so.
    made(folder.path(), "-vf transpose=2 -c:v libx264", "turned.mp4");
    ffmpeg(folder.path(), "-i turned.mp4 -c copy -metadata:s:v:0 rotate=270 flagged.mp4");
    let video = GoodRun::on(&folder.path().join("flagged.mp4")).manifest()["video"].clone();
    assert_eq!(
        (video["size"]["width"].as_u64(), video["size"]["height"].as_u64()),
        (Some(640), Some(360)),
        "{video}"
    );
}

#[test]
fn a_wrong_extension_changes_nothing() {
    let folder = tempdir().unwrap();
    let renamed = folder.path().join("scene.avi");
    fs::copy(scene(), &renamed).unwrap();
    assert_eq!(GoodRun::on(&renamed).tracks(), GoodRun::on(&scene()).tracks());
}

#[test]
fn timestamps_that_jump_back_are_survived() {
    let folder = tempdir().unwrap();
    let stream = fs::read(made(folder.path(), "-c copy", "once.ts")).unwrap();
    let twice = folder.path().join("twice.ts");
    fs::write(&twice, [stream.clone(), stream].concat()).unwrap();
    GoodRun::on(&twice);
}

#[test]
fn damage_in_the_middle_costs_what_it_hits() {
    let folder = tempdir().unwrap();
    let damaged = folder.path().join("damaged.mp4");
    let mut bytes = fs::read(scene()).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 3000] {
        *byte ^= 0x5a;
    }
    fs::write(&damaged, bytes).unwrap();
    let frames = GoodRun::on(&damaged).manifest()["counts"]["frames_analysed"].as_u64();
    let all = GoodRun::on(&scene()).manifest()["counts"]["frames_analysed"].as_u64();
    assert!(frames.unwrap() * 4 >= all.unwrap() * 3, "{frames:?} of {all:?} frames");
}

#[test]
fn of_a_truncated_video_the_good_part_is_used() {
    let folder = tempdir().unwrap();
    let bytes = fs::read(made(folder.path(), "-c copy -movflags +faststart", "whole.mp4")).unwrap();
    let cut = folder.path().join("cut.mp4");
    fs::write(&cut, &bytes[..bytes.len() * 3 / 4]).unwrap();
    GoodRun::on(&cut);
}

#[test]
fn a_wall_of_faces_is_survived() {
    let folder = tempdir().unwrap();
    made(folder.path(), "-vf scale=160:90,tile=6x8 -frames:v 1", "tile.png");
    ffmpeg(
        folder.path(),
        "-loop 1 -i tile.png -vf scale=960:720,split=4[a][b][c][d];[a][b][c][d]xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0 -r 4 -t 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p wall.mp4",
    );
    let out = tempdir().unwrap();
    Call::run(&folder.path().join("wall.mp4"), out.path())
        .with(&["--no-embed", "--stride", "1", "--set", "detect.min_face_px=12"])
        .succeed();
    Call::verify(out.path()).succeed();
    let found =
        Results::of_only_episode(out.path()).json("manifest.json")["counts"]["detections"].as_u64().unwrap();
    assert!(found > 400, "{found} faces in four frames");
}

#[test]
fn a_video_without_faces_is_a_complete_run() {
    let folder = tempdir().unwrap();
    ffmpeg(folder.path(), "-f lavfi -i testsrc2=size=320x180:duration=1 -c:v libx264 empty.mp4");
    let out = tempdir().unwrap();
    Call::run(&folder.path().join("empty.mp4"), out.path()).succeed();
    Call::verify(out.path()).succeed();
    let results = Results::of_only_episode(out.path());
    assert_eq!((results.rows("tracks").len(), results.rows("faces").len()), (0, 0));
}

#[rstest]
#[case::nothing(b"".as_slice())]
#[case::text(b"this is a letter and no video\n".as_slice())]
#[case::playlist(b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n/etc/hostname\n#EXT-X-ENDLIST\n".as_slice())]
fn what_is_no_video_is_refused(#[case] content: &[u8]) {
    let folder = tempdir().unwrap();
    let video = folder.path().join("video.mp4");
    fs::write(&video, content).unwrap();
    let out = folder.path().join("out");
    refused(&Call::run(&video, &out), &out, "video.mp4");
}

#[rstest]
#[case::audio_only("-f lavfi -i sine=duration=1 -c:a aac", "sound.mp4", "no video")]
#[case::one_pixel("-f lavfi -i color=duration=1,format=yuv444p,scale=1:1 -c:v ffv1", "dot.mkv", "1x1")]
#[case::a_picture("-f lavfi -i testsrc2=size=320x180 -frames:v 1", "picture.png", "picture.png")]
fn what_can_not_be_used_is_refused_with_the_reason(
    #[case] options: &str,
    #[case] name: &str,
    #[case] why: &str,
) {
    let folder = tempdir().unwrap();
    ffmpeg(folder.path(), &format!("{options} {name}"));
    let out = folder.path().join("out");
    refused(&Call::run(&folder.path().join(name), &out), &out, why);
}

#[test]
fn a_video_without_its_index_is_refused() {
    let folder = tempdir().unwrap();
    let bytes = fs::read(scene()).unwrap();
    let headless = folder.path().join("headless.mp4");
    // The index stands at the end.
    fs::write(&headless, &bytes[..bytes.len() / 2]).unwrap();
    let out = folder.path().join("out");
    refused(&Call::run(&headless, &out), &out, "headless.mp4");
}

#[test]
fn a_video_without_frames_is_refused() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    refused(&Call::run(&made(folder.path(), "-c copy -frames:v 0", "none.mp4"), &out), &out, "none.mp4");
}

#[test]
fn what_is_not_there_or_no_file_is_refused() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    refused(&Call::run(&folder.path().join("absent.mp4"), &out), &out, "check the path and its permissions");
    refused(&Call::run(folder.path(), &out), &out, "no regular file");
}

#[test]
fn a_video_that_may_not_be_read_is_refused() {
    let folder = tempdir().unwrap();
    let video = folder.path().join("secret.mp4");
    fs::copy(scene(), &video).unwrap();
    fs::set_permissions(&video, fs::Permissions::from_mode(0o000)).unwrap();
    let out = folder.path().join("out");
    refused(&Call::run(&video, &out).without_root_rights(), &out, "check the path and its permissions");
}

#[test]
fn results_that_may_not_be_written_are_an_error_of_the_store() {
    let folder = tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let ended = Call::run(&scene(), &folder.path().join("out")).without_root_rights().finish();
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(ended.said.contains("permission denied"), "{}", ended.said);
}
