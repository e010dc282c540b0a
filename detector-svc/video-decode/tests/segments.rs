//! Segments, one after the other, are the whole video: every frame once, in order, bit for bit.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod clips;

use clips::{Clips, EVERYTHING, MOVING, Shown, decode, decode_selection, pts_of, reference_planes, scanned};
use facereel_domain::time::Pts;
use facereel_video_decode::{Scan, Selection, SkipMode, TimestampSource, segment_ranges};
use rstest::rstest;
use std::path::Path;

const X264: &str = "-c:v libx264 -preset ultrafast -g 12 -keyint_min 12 -sc_threshold 0 -bf 3";

/// Checks a clip against the `ffmpeg` program and its segments against the whole; gives the number of segments.
fn check_segments(path: &Path) -> usize {
    let scan = scanned(path);
    let (whole, _) = decode(path, &scan, EVERYTHING);
    let scanned_pts: Vec<Pts> = scan.frames.iter().map(|f| f.pts).collect();
    assert_eq!(pts_of(&whole), scanned_pts, "the scan and the decoder disagree");
    let reference = reference_planes(path);
    assert_eq!(whole.iter().map(|f| f.planes.len()).sum::<usize>(), reference.len());
    assert!(whole.iter().flat_map(|f| &f.planes).eq(&reference), "frames differ from the reference decode");

    let ranges = segment_ranges(&scan, 0.4);
    let parts: Vec<Shown> = ranges.iter().flat_map(|range| decode(path, &scan, *range).0).collect();
    assert_eq!(parts, whole);
    check_selection(path, &whole);
    ranges.len()
}

/// Every sixth frame, with the rest discarded where possible, equals the whole decode.
fn check_selection(path: &Path, whole: &[Shown]) {
    let scan = scanned(path);
    let wanted: Vec<Shown> = whole.iter().step_by(6).cloned().collect();
    let mut found = Vec::new();
    for range in segment_ranges(&scan, 0.4) {
        let selection = Selection::Wanted { pts: pts_of(&wanted), skip: SkipMode::NonReference };
        let (frames, _) = decode_selection(path, &scan, range, selection);
        found.extend(frames.into_iter().filter(|f| wanted.binary_search_by_key(&f.pts, |w| w.pts).is_ok()));
    }
    assert_eq!(found, wanted);
}

#[rstest]
#[case::closed_mp4("", "clip.mp4")]
#[case::closed_mkv("", "clip.mkv")]
#[case::closed_mov("", "clip.mov")]
#[case::closed_ts("", "clip.ts")]
#[case::open_mp4("-x264-params open-gop=1:b-pyramid=normal:bframes=4:b-adapt=0", "clip.mp4")]
#[case::open_mkv("-x264-params open-gop=1:b-pyramid=normal:bframes=4:b-adapt=0", "clip.mkv")]
#[case::open_ts("-x264-params open-gop=1:b-pyramid=normal:bframes=4:b-adapt=0", "clip.ts")]
#[case::interlaced("-flags +ilme+ildct -x264-params tff=1", "clip.mp4")]
#[case::ten_bits("-pix_fmt yuv420p10le", "clip.mkv")]
#[case::full_chroma("-pix_fmt yuv444p", "clip.mp4")]
#[case::fragmented("-movflags frag_keyframe+empty_moov", "clip.mp4")]
#[case::many_references("-refs 8 -x264-params b-pyramid=strict:weightp=2:bframes=7:b-adapt=0", "clip.mp4")]
fn segments_of_h264_are_the_whole(#[case] options: &str, #[case] name: &str) {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264} {options}"), name);
    assert!(check_segments(&path) >= 5);
}

#[rstest]
#[case::hevc_open_mp4(
    "-c:v libx265 -preset ultrafast -x265-params open-gop=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0:scenecut=0:log-level=none",
    "clip.mp4"
)]
#[case::hevc_open_ts(
    "-c:v libx265 -preset ultrafast -x265-params open-gop=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0:scenecut=0:log-level=none",
    "clip.ts"
)]
#[case::hevc_closed_mkv(
    "-c:v libx265 -preset ultrafast -x265-params open-gop=0:keyint=12:min-keyint=12:bframes=4:scenecut=0:log-level=none",
    "clip.mkv"
)]
#[case::hevc_layers(
    "-c:v libx265 -preset ultrafast -x265-params temporal-layers=1:keyint=12:min-keyint=12:bframes=4:b-adapt=0:scenecut=0:log-level=none",
    "clip.mp4"
)]
#[case::hevc_ten_bits(
    "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params keyint=12:min-keyint=12:scenecut=0:log-level=none",
    "clip.mp4"
)]
#[case::vp9_webm("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 12 -b:v 300k", "clip.webm")]
#[case::vp8_webm("-c:v libvpx -deadline realtime -cpu-used 8 -g 12 -b:v 300k -auto-alt-ref 1", "clip.webm")]
#[case::av1_mkv("-c:v libsvtav1 -preset 10 -g 12 -svtav1-params log-level=0", "clip.mkv")]
#[case::av1_mp4("-c:v libaom-av1 -cpu-used 8 -usage realtime -g 12 -b:v 300k", "clip.mp4")]
#[case::mpeg2_ts("-c:v mpeg2video -g 12 -bf 2 -b:v 2M", "clip.ts")]
#[case::mpeg2_mkv("-c:v mpeg2video -g 12 -bf 2 -b:v 2M", "clip.mkv")]
#[case::mpeg2_closed_mp4(
    "-c:v mpeg2video -g 12 -bf 2 -b:v 2M -flags +cgop -sc_threshold 1000000000",
    "clip.mp4"
)]
#[case::mpeg4_mp4("-c:v mpeg4 -g 12 -bf 2 -b:v 1M", "clip.mp4")]
#[case::mpeg4_mov("-c:v mpeg4 -g 12 -bf 0 -b:v 1M", "clip.mov")]
#[case::mjpeg_mov("-c:v mjpeg -q:v 5 -pix_fmt yuvj420p", "clip.mov")]
fn segments_of_other_codecs_are_the_whole(#[case] options: &str, #[case] name: &str) {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {options}"), name);
    assert!(check_segments(&path) >= 5);
}

#[rstest]
#[case::h264("-c:v libx264 -preset ultrafast -g 12 -bf 3 -x264-params b-adapt=0")]
#[case::mpeg4("-c:v mpeg4 -g 12 -bf 2 -b:v 1M")]
#[case::mjpeg("-c:v mjpeg -q:v 5")]
fn avi_frames_are_counted_and_complete(#[case] options: &str) {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {options}"), "clip.avi");
    check_segments(&path);
    let scan = scanned(&path);
    assert_eq!(scan.frames.len(), 72);
    let numbers: Vec<u64> = scan.frames.iter().map(|f| scan.info.timeline.frame_idx(f.pts)).collect();
    assert_eq!(numbers, (0..72).collect::<Vec<u64>>());
    assert!((scan.info.duration_sec - 3.0).abs() < 0.01);
    assert!(scan.is_seekable() || scan.info.timestamps == TimestampSource::Counted);
}

#[test]
fn variable_frame_rates_keep_their_timestamps() {
    let clips = Clips::new();
    let path = clips.encode(
        "testsrc2=size=320x180:rate=30:duration=3,select='not(between(mod(n\\,11)\\,3\\,5))'",
        &format!("-fps_mode vfr {X264}"),
        "clip.mp4",
    );
    assert!(check_segments(&path) >= 3);
    let scan = scanned(&path);
    let seconds: Vec<f64> = scan.frames.iter().map(|f| scan.info.timeline.seconds(f.pts)).collect();
    assert!((seconds[3] - 6.0 / 30.0).abs() < 0.001, "{seconds:?}");
    assert_eq!(scan.info.timeline.frame_idx(scan.frames[3].pts), 6);
}

#[test]
fn edit_lists_cut_what_is_shown() {
    let clips = Clips::new();
    let full = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264}"), "full.mp4");
    let path = clips.remux("-ss 0.8", &full, "-c copy", "clip.mp4");
    assert!(check_segments(&path) >= 3);
    let scan = scanned(&path);
    assert!(scan.frames.len() < 60, "{} frames: the edit list was ignored", scan.frames.len());
    assert!((scan.info.timeline.seconds(scan.frames[0].pts)).abs() < 1e-9);
}

#[test]
fn a_recording_that_starts_within_a_group_is_complete_from_its_first_keyframe() {
    let clips = Clips::new();
    let full = clips.encode(MOVING, "-pix_fmt yuv420p -c:v mpeg2video -g 12 -bf 2 -b:v 2M", "full.ts");
    let bytes = std::fs::read(&full).unwrap();
    let path = clips.write("cut.ts", &bytes[bytes.len() / 5 / 188 * 188..]);
    let scan = scanned(&path);
    let (whole, _) = decode(&path, &scan, EVERYTHING);
    assert_eq!(pts_of(&whole), scan.frames.iter().map(|f| f.pts).collect::<Vec<_>>());
    let parts: Vec<Shown> =
        segment_ranges(&scan, 0.4).iter().flat_map(|range| decode(&path, &scan, *range).0).collect();
    assert_eq!(parts, whole);
}

#[test]
fn periodic_intra_refresh_has_no_seek_points_within() {
    let clips = Clips::new();
    let path = clips.encode(
        MOVING,
        &format!("-pix_fmt yuv420p {X264} -bf 0 -x264-params intra-refresh=1"),
        "clip.ts",
    );
    assert_eq!(check_segments(&path), 1);
}

#[test]
fn discarding_saves_frames_and_counts_them() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264} -x264-params b-adapt=0"), "clip.mp4");
    let scan = scanned(&path);
    let unneeded = scan.frames.iter().filter(|f| f.is_reference == Some(false)).count() as u64;
    assert!(unneeded > 20, "{unneeded}");
    let selection = Selection::Wanted { pts: vec![], skip: SkipMode::NonReference };
    let (frames, stats) = decode_selection(&path, &scan, EVERYTHING, selection);
    assert_eq!(stats.frames_discarded, unneeded);
    assert_eq!(frames.len() as u64 + unneeded, scan.frames.len() as u64);
    assert_eq!(stats.frames_broken, 0);
}

#[test]
fn ranges_hold_every_frame_once() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264}"), "clip.mp4");
    let scan = scanned(&path);
    for target_sec in [0.0, 0.4, 1.1, 100.0] {
        let ranges = segment_ranges(&scan, target_sec);
        assert_eq!(ranges.first().unwrap().start, None);
        assert_eq!(ranges.last().unwrap().end, None);
        assert!(ranges.windows(2).all(|w| w[0].end == w[1].start && w[0].end.is_some()));
        for frame in &scan.frames {
            assert_eq!(ranges.iter().filter(|r| r.contains(frame.pts)).count(), 1);
        }
    }
    assert_eq!(segment_ranges(&scan, 0.0).len(), 6);
    assert_eq!(segment_ranges(&scan, 100.0).len(), 1);
}

#[test]
fn frames_may_change_their_size_on_the_way() {
    let clips = Clips::new();
    let large = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264}"), "large.ts");
    let small = MOVING.replace("320x180", "160x120");
    let small = clips.encode(&small, &format!("-pix_fmt yuv420p {X264} -output_ts_offset 3.5"), "small.ts");
    let bytes = [std::fs::read(large).unwrap(), std::fs::read(small).unwrap()].concat();
    let path = clips.write("both.ts", &bytes);
    let scan = scanned(&path);
    let (whole, stats) = decode(&path, &scan, EVERYTHING);
    assert_eq!((whole.len(), stats.frames_broken), (144, 0), "{:?}", scan.warnings);
    assert!(whole[..72].iter().all(|f| f.planes.len() == 320 * 180 * 3 / 2));
    assert!(whole[72..].iter().all(|f| f.planes.len() == 160 * 120 * 3 / 2));
    let ranges = segment_ranges(&scan, 0.4);
    let parts: Vec<Shown> = ranges.iter().flat_map(|range| decode(&path, &scan, *range).0).collect();
    assert_eq!(parts, whole);
    assert!(ranges.len() > 8);
}

#[test]
fn what_was_scanned_can_be_stored() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("-pix_fmt yuv420p {X264} -t 0.5"), "clip.mp4");
    let scan = scanned(&path);
    let stored = serde_json::to_string(&scan).unwrap();
    assert_eq!(serde_json::from_str::<Scan>(&stored).unwrap(), scan);
}
