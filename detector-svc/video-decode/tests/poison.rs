//! What is no video, or a bad one, gives a clear error or what is good of it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod clips;

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use clips::{Clips, EVERYTHING, MOVING, decode, input, pts_of, scanned};
use facereel_domain::geometry::Size;
use facereel_video_decode::{
    ErrorKind, Input, ReadSeek, SegmentDecoder, Selection, StreamOpener, TimestampSource, scan,
    segment_ranges,
};
use rstest::rstest;

const X264: &str = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 12 -bf 2";

fn kind(path: &Path) -> ErrorKind {
    let error = scan(&input(path)).expect_err("it was taken for a video");
    assert!(error.to_string().contains(error.place()));
    assert_eq!(error.is_permanent(), error.kind() != ErrorKind::Io);
    error.kind()
}

#[test]
fn what_is_not_there_is_not_found() {
    assert_eq!(kind(&Clips::new().path("missing.mp4")), ErrorKind::NotFound);
}

#[test]
fn what_is_no_file_is_no_video() {
    let clips = Clips::new();
    assert_eq!(kind(clips.path("x.mp4").parent().unwrap()), ErrorKind::NotAVideo);
}

#[rstest]
#[case::empty(vec![])]
#[case::text(b"this is no video\n".repeat(500))]
#[case::noise((0..100_000_u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect())]
#[case::zeros(vec![0; 70_000])]
fn garbage_is_no_video(#[case] bytes: Vec<u8>) {
    let clips = Clips::new();
    let kind = kind(&clips.write("clip.mp4", &bytes));
    assert!(matches!(kind, ErrorKind::NotAVideo | ErrorKind::FormatNotAllowed), "{kind:?}");
}

#[test]
fn playlists_are_refused_and_nothing_they_name_is_opened() {
    let clips = Clips::new();
    let video = clips.encode(MOVING, X264, "secret.mp4");
    let name = video.display();
    let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n{name}\n#EXT-X-ENDLIST\n");
    let concat = format!("ffconcat version 1.0\nfile '{name}'\n");
    for (file, text) in
        [("list.m3u8", &hls), ("list.mp4", &hls), ("list.txt", &concat), ("list2.mp4", &concat)]
    {
        assert_eq!(kind(&clips.write(file, text.as_bytes())), ErrorKind::FormatNotAllowed, "{file}");
    }
}

#[test]
fn images_and_other_containers_are_refused() {
    let clips = Clips::new();
    let png = clips.encode("testsrc2=size=320x180", "-frames:v 1", "picture.png");
    let flv = clips.encode(MOVING, X264, "clip.flv");
    assert_eq!(kind(&png), ErrorKind::FormatNotAllowed);
    assert_eq!(kind(&flv), ErrorKind::FormatNotAllowed);
}

#[test]
fn audio_alone_has_no_video_stream() {
    let clips = Clips::new();
    let path = clips.encode("sine=duration=1", "-c:a aac", "sound.mp4");
    assert_eq!(kind(&path), ErrorKind::NoVideoStream);
}

#[test]
fn cover_art_is_no_video_stream() {
    let clips = Clips::new();
    let sound = clips.encode("sine=duration=1", "-c:a aac", "sound.mp4");
    let art = clips.encode("testsrc2=size=320x180", "-frames:v 1", "art.png");
    let after = format!("-i {} -map 0 -map 1 -c copy -disposition:v:0 attached_pic", art.display());
    assert_eq!(kind(&clips.remux("", &sound, &after, "song.mp4")), ErrorKind::NoVideoStream);
}

#[test]
fn a_video_stream_without_frames_is_named() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("{X264} -t 0.5 -movflags +faststart"), "clip.mp4");
    let empty = clips.remux("", &path, "-c copy -frames:v 0", "empty.mp4");
    let kind = kind(&empty);
    assert!(
        matches!(kind, ErrorKind::NoFrames | ErrorKind::NotAVideo | ErrorKind::NoVideoStream),
        "{kind:?}"
    );
}

#[test]
fn codecs_outside_of_the_list_are_named() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, "-c:v cinepak -t 0.2", "clip.mov");
    let error = scan(&input(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedCodec);
    assert!(error.to_string().contains("cinepak"), "{error}");
}

#[test]
fn one_pixel_is_too_small() {
    let clips = Clips::new();
    let path = clips.encode("color=duration=1,format=yuv444p,scale=1:1", "-c:v ffv1", "dot.mkv");
    let error = scan(&input(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SizeOutOfLimits);
    assert!(error.to_string().contains("1x1"), "{error}");
}

#[test]
fn odd_sizes_are_read() {
    let clips = Clips::new();
    let path = clips.encode("testsrc2=duration=1,format=yuv444p,scale=321:179", "-c:v libx264", "odd.mp4");
    let scan = scanned(&path);
    assert_eq!(scan.info.size, Size { width: 321, height: 179 });
    assert_eq!(decode(&path, &scan, EVERYTHING).0.len(), scan.frames.len());
}

#[test]
fn contents_decide_not_the_name() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, "clip.mp4");
    let renamed = clips.write("clip.avi", &std::fs::read(&path).unwrap());
    assert_eq!(scanned(&renamed).info.container, "mp4");
    assert_eq!(scanned(&renamed).frames, scanned(&path).frames);
}

#[test]
fn a_file_without_its_index_is_no_video() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, "clip.mp4");
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(kind(&clips.write("cut.mp4", &bytes[..bytes.len() / 2])), ErrorKind::NotAVideo);
}

#[rstest]
#[case::mp4("clip.mp4", "-movflags +faststart")]
#[case::mkv("clip.mkv", "")]
#[case::ts("clip.ts", "")]
#[case::avi("clip.avi", "")]
fn of_a_truncated_file_the_good_part_is_used(#[case] name: &str, #[case] options: &str) {
    let clips = Clips::new();
    let path = clips.encode(MOVING, &format!("{X264} {options}"), name);
    let bytes = std::fs::read(&path).unwrap();
    let cut = clips.write(&format!("cut-{name}"), &bytes[..bytes.len() * 6 / 10]);
    let (scan, whole) = (scanned(&cut), scanned(&path));
    assert!(scan.frames.len() > 24 && scan.frames.len() < whole.frames.len(), "{}", scan.frames.len());
    let (frames, _) = decode(&cut, &scan, EVERYTHING);
    assert!(frames.len() + 2 >= scan.frames.len(), "{} of {}", frames.len(), scan.frames.len());
    if name == "clip.mp4" {
        assert!(scan.warnings.iter().any(|w| w.contains("cut short")), "{:?}", scan.warnings);
    }
    let parts: Vec<_> = segment_ranges(&scan, 0.4).iter().flat_map(|r| decode(&cut, &scan, *r).0).collect();
    assert_eq!(pts_of(&parts), pts_of(&frames));
}

#[rstest]
#[case::mp4("clip.mp4")]
#[case::ts("clip.ts")]
#[case::mkv("clip.mkv")]
fn corrupted_bytes_in_the_middle_cost_their_frames_only(#[case] name: &str) {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, name);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    for (i, byte) in bytes[middle..middle + 600].iter_mut().enumerate() {
        *byte = (i as u8).wrapping_mul(167) ^ 0x5A;
    }
    let good = scanned(&path);
    let bad_path = clips.write(&format!("bad-{name}"), &bytes);
    let bad = scanned(&bad_path);
    let (want, _) = decode(&path, &good, EVERYTHING);
    let (frames, stats) = decode(&bad_path, &bad, EVERYTHING);
    assert!(stats.frames_broken + stats.frames_damaged > 0 || frames.len() < want.len(), "{stats:?}");
    let equal = frames.iter().filter(|f| want.contains(f)).count();
    assert!(equal >= want.len() - 26, "{equal} of {} frames survive", want.len());
}

#[test]
fn timestamps_that_go_backwards_are_counted() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, "clip.ts");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_within(..);
    let twice = clips.write("twice.ts", &bytes);
    let scan = scanned(&twice);
    assert_eq!(scan.info.timestamps, TimestampSource::Counted, "{:?}", scan.warnings);
    assert!(!scan.warnings.is_empty());
    assert_eq!(segment_ranges(&scan, 0.5), [EVERYTHING]);
    let (frames, _) = decode(&twice, &scan, EVERYTHING);
    assert!(frames.len() >= 143, "{}", frames.len());
    assert!(frames.windows(2).all(|w| w[1].pts.0 == w[0].pts.0 + 1));
}

/// A reader whose bytes from `good` on can't be read.
#[derive(Debug)]
struct Failing {
    bytes: Arc<Vec<u8>>,
    good: u64,
}

struct FailingReader(Cursor<Vec<u8>>, u64);

impl Read for FailingReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.0.position() + buf.len() as u64 > self.1 {
            return Err(io::Error::other("the disk is on fire"));
        }
        self.0.read(buf)
    }
}

impl Seek for FailingReader {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.0.seek(pos)
    }
}

impl StreamOpener for Failing {
    fn open(&self) -> io::Result<Box<dyn ReadSeek>> {
        Ok(Box::new(FailingReader(Cursor::new(self.bytes.to_vec()), self.good)))
    }

    fn name(&self) -> String {
        "memory".to_owned()
    }
}

#[rstest]
#[case::mp4("clip.mp4", "-movflags +faststart")]
#[case::mkv("clip.mkv", "")]
#[case::ts("clip.ts", "")]
#[case::avi("clip.avi", "")]
fn faults_of_the_reader_are_errors_not_the_end(#[case] name: &str, #[case] options: &str) {
    let clips = Clips::new();
    let noise = "nullsrc=size=320x180:rate=24:duration=3,geq=random(1)*255:128:128";
    let path = clips.encode(noise, &format!("{X264} -crf 18 {options}"), name);
    let bytes = Arc::new(std::fs::read(&path).unwrap());
    assert!(bytes.len() > 1_000_000);
    let whole = Input::Stream(Arc::new(Failing { bytes: Arc::clone(&bytes), good: u64::MAX }));
    let found = scan(&whole).unwrap();
    let failing = Input::Stream(Arc::new(Failing { good: bytes.len() as u64 * 7 / 10, bytes }));
    let error = scan(&failing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(!error.is_permanent());
    let opened = SegmentDecoder::open(&failing, &found.info, EVERYTHING, Selection::All);
    let fault = opened.and_then(|mut decoder| {
        while decoder.next_frame()?.is_some() {}
        Ok(())
    });
    assert_eq!(fault.unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_stream_gives_what_the_file_gives() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, "clip.mkv");
    let stream =
        Input::Stream(Arc::new(Failing { bytes: Arc::new(std::fs::read(&path).unwrap()), good: u64::MAX }));
    assert_eq!(scan(&stream).unwrap(), scanned(&path));
}

#[test]
fn a_replaced_file_is_noticed() {
    let clips = Clips::new();
    let path = clips.encode(MOVING, X264, "clip.mp4");
    let scan = scanned(&path);
    let range = segment_ranges(&scan, 1.0)[1];
    clips.encode(MOVING, &format!("{X264} -g 11"), "clip.mp4");
    let error = SegmentDecoder::open(&input(&path), &scan.info, range, Selection::All).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
}
