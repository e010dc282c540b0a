//! What frames look like as RGB and as thumbnails: colours, turns, parts.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod clips;

use std::path::Path;

use clips::{Clips, EVERYTHING, input, scanned};
use facereel_domain::geometry::{PixelRect, Size};
use facereel_domain::shot::Thumbnail;
use facereel_imaging::RgbImage;
use facereel_video_decode::{Frame, Scaler, SegmentDecoder, Selection};
use rstest::rstest;

const LOSSLESS: &str = "-c:v libx264 -preset ultrafast -qp 0";

fn first_frame(path: &Path) -> Frame {
    let scan = scanned(path);
    let mut decoder = SegmentDecoder::open(&input(path), &scan.info, EVERYTHING, Selection::All).unwrap();
    decoder.next_frame().unwrap().unwrap()
}

fn cut(image: &RgbImage, rect: PixelRect) -> RgbImage {
    let mut data = Vec::new();
    for y in rect.y..rect.y + rect.height {
        let at = 3 * (y * image.size().width + rect.x) as usize;
        data.extend_from_slice(&image.data()[at..at + 3 * rect.width as usize]);
    }
    RgbImage::new(Size { width: rect.width, height: rect.height }, data).unwrap()
}

/// The mean difference of all samples.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.size(), b.size());
    let sum: u64 = a.data().iter().zip(b.data()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum();
    sum as f64 / a.data().len() as f64
}

fn pixel(image: &RgbImage, x: u32, y: u32) -> [u8; 3] {
    let at = 3 * (y * image.size().width + x) as usize;
    image.data()[at..at + 3].try_into().unwrap()
}

fn assert_near(actual: [u8; 3], expected: [u8; 3]) {
    assert!(actual.iter().zip(expected).all(|(a, e)| a.abs_diff(e) <= 4), "{actual:?} is not {expected:?}");
}

#[rstest]
#[case::sd("size=320x180", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p", "")]
#[case::hd("size=1280x720", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "")]
#[case::stated_matrix(
    "size=320x180",
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
    "-colorspace bt709"
)]
#[case::full_range(
    "size=320x180",
    "scale=out_color_matrix=bt601:out_range=pc,format=yuv420p",
    "-color_range pc"
)]
#[case::ten_bits("size=320x180", "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p10le", "")]
#[case::full_chroma("size=320x180", "scale=out_color_matrix=bt601:out_range=tv,format=yuv444p", "")]
fn colours_are_those_of_the_source(#[case] size: &str, #[case] filter: &str, #[case] options: &str) {
    let clips = Clips::new();
    for (name, rgb) in
        [("0xC08040", [192, 128, 64]), ("0x2040E0", [32, 64, 224]), ("white", [255; 3]), ("black", [0; 3])]
    {
        let source = format!("color={name}:{size}:duration=0.1,format=rgb24,{filter}");
        let path = clips.encode(&source, &format!("{LOSSLESS} {options}"), &format!("{name}.mp4"));
        let frame = first_frame(&path);
        let mut scaler = Scaler::new();
        let small = frame.scaled_rgb(&mut scaler, Size { width: 160, height: 90 }).unwrap();
        assert_near(pixel(&small, 80, 45), rgb);
        let rect = PixelRect { x: 33, y: 15, width: 21, height: 17 };
        let crop = frame.crop_rgb(&mut scaler, rect, Size { width: 21, height: 17 }).unwrap();
        assert_near(pixel(&crop, 20, 16), rgb);
    }
}

#[rstest]
#[case::yuv420p("320x180", "yuv420p", 0.0)]
#[case::yuv422p("320x180", "yuv422p", 0.0)]
#[case::yuv444p("321x179", "yuv444p", 0.0)]
#[case::yuv420p10("320x180", "yuv420p10le", 0.7)]
#[case::grey("320x180", "gray", 0.0)]
fn a_crop_is_what_the_whole_frame_shows_there(
    #[case] size: &str,
    #[case] format: &str,
    #[case] tolerance: f64,
) {
    let clips = Clips::new();
    let source = format!("testsrc2=duration=0.1,format=yuv444p,scale={}", size.replace('x', ":"));
    let path = clips.encode(&source, &format!("{LOSSLESS} -pix_fmt {format}"), "clip.mkv");
    let frame = first_frame(&path);
    let mut scaler = Scaler::new();
    let whole = frame.scaled_rgb(&mut scaler, frame.size()).unwrap();
    let Size { width, height } = frame.size();
    let corners = [(0, 0, 40, 30), (101, 51, 64, 64), (33, 20, 1, 1), (5, 7, 300, 150)];
    let at_the_edges =
        [(width - 41, height - 33, 41, 33), (width - 1, 0, 1, height), (0, height - 1, width, 1)];
    for (x, y, w, h) in corners.into_iter().chain(at_the_edges) {
        let rect = PixelRect { x, y, width: w, height: h };
        let crop = frame.crop_rgb(&mut scaler, rect, Size { width: w, height: h }).unwrap();
        let difference = difference(&crop, &cut(&whole, rect));
        assert!(difference <= tolerance, "{rect:?}: {difference}");
    }
}

#[test]
fn crops_that_reach_past_the_frame_are_cut_to_it() {
    let clips = Clips::new();
    let path = clips.encode(
        "testsrc2=size=320x180:duration=0.1",
        &format!("{LOSSLESS} -pix_fmt yuv420p"),
        "clip.mp4",
    );
    let frame = first_frame(&path);
    let rect = PixelRect { x: 300, y: 170, width: 100, height: 100 };
    let crop = frame.crop_rgb(&mut Scaler::new(), rect, Size { width: 10, height: 10 }).unwrap();
    assert_eq!(crop.size(), Size { width: 10, height: 10 });
}

#[rstest]
#[case(90, [2, 0, 3, 1])]
#[case(180, [3, 2, 1, 0])]
#[case(270, [1, 3, 0, 2])]
fn rotation_flags_turn_pictures_clockwise(#[case] degrees: u16, #[case] quadrants: [usize; 4]) {
    let clips = Clips::new();
    // Upper left red, upper right green, lower left blue, lower right white.
    let source = "color=red:size=160x90:duration=0.1[a];color=lime:size=160x90:duration=0.1[b];\
                  color=blue:size=160x90:duration=0.1[c];color=white:size=160x90:duration=0.1[d];\
                  [a][b]hstack[e];[c][d]hstack[f];[e][f]vstack";
    let colours = [[254, 0, 0], [0, 255, 1], [0, 0, 254], [255, 255, 255]];
    let flat = clips.encode(source, &format!("{LOSSLESS} -pix_fmt yuv420p"), "flat.mp4");
    let path =
        clips.remux("", &flat, &format!("-c copy -metadata:s:v:0 rotate={}", 360 - degrees), "turned.mp4");
    let path = if scanned(&path).info.rotation_deg == degrees {
        path
    } else {
        clips.remux("", &flat, &format!("-c copy -metadata:s:v:0 rotate={degrees}"), "turned.mp4")
    };
    let scan = scanned(&path);
    assert_eq!(scan.info.rotation_deg, degrees);
    let frame = first_frame(&path);
    let size = frame.size();
    assert_eq!(size, scan.info.size);
    assert_eq!(size.width < size.height, degrees != 180);
    let mut scaler = Scaler::new();
    let half = Size { width: size.width / 2, height: size.height / 2 };
    let image = frame.scaled_rgb(&mut scaler, half).unwrap();
    for (place, quadrant) in quadrants.into_iter().enumerate() {
        let (column, row) = (place as u32 % 2, place as u32 / 2);
        let (x, y) = (half.width / 4 + column * half.width / 2, half.height / 4 + row * half.height / 2);
        assert_near(pixel(&image, x, y), colours[quadrant]);
        let rect = PixelRect { x: 2 * x, y: 2 * y, width: 12, height: 8 };
        let crop = frame.crop_rgb(&mut scaler, rect, Size { width: 12, height: 8 }).unwrap();
        assert_near(pixel(&crop, 3, 3), colours[quadrant]);
    }
}

#[rstest]
#[case::limited("scale=out_range=tv,format=yuv420p", "-color_range tv")]
#[case::full("scale=out_range=pc,format=yuv420p", "-color_range pc")]
#[case::ten_bits("scale=out_range=tv,format=yuv420p10le", "-color_range tv")]
fn thumbnails_are_the_same_for_every_range_and_depth(#[case] filter: &str, #[case] options: &str) {
    let clips = Clips::new();
    let thumbnail = |name: &str, colour: &str| {
        let source = format!("color={colour}:size=320x180:duration=0.1,format=rgb24,{filter}");
        let path = clips.encode(&source, &format!("{LOSSLESS} {options}"), name);
        first_frame(&path).thumbnail(&mut Scaler::new()).unwrap()
    };
    let check = |t: &Thumbnail, [y, cb, cr]: [u8; 3]| {
        assert_eq!((t.luma.len(), t.cb.len(), t.cr.len()), (576, 144, 144));
        assert!(t.luma.iter().all(|v| v.abs_diff(y) <= 2), "{:?}", t.luma[0]);
        assert!(t.cb.iter().all(|v| v.abs_diff(cb) <= 2), "{:?}", t.cb[0]);
        assert!(t.cr.iter().all(|v| v.abs_diff(cr) <= 2), "{:?}", t.cr[0]);
    };
    check(&thumbnail("black.mp4", "black"), [0, 128, 128]);
    check(&thumbnail("white.mp4", "white"), [255, 128, 128]);
    check(&thumbnail("red.mp4", "0xFF0000"), [76, 85, 255]);
}

#[test]
fn thumbnails_follow_the_picture() {
    let clips = Clips::new();
    let source = "color=black:size=640x360:duration=0.1,drawbox=x=0:y=0:w=320:h=360:color=white:t=fill";
    let planar = clips.encode(source, &format!("{LOSSLESS} -pix_fmt yuv420p"), "planar.mp4");
    let rgb = clips.encode(source, "-c:v ffv1 -pix_fmt bgr0", "rgb.mkv");
    for path in [planar, rgb] {
        let thumbnail = first_frame(&path).thumbnail(&mut Scaler::new()).unwrap();
        for (at, value) in thumbnail.luma.iter().enumerate() {
            let expected = if at % Thumbnail::WIDTH < Thumbnail::WIDTH / 2 { 255 } else { 0 };
            assert!(value.abs_diff(expected) <= 2, "block {at} of {}: {value}", path.display());
        }
    }
}

#[test]
fn one_scaler_serves_videos_of_different_kinds() {
    let clips = Clips::new();
    let mut scaler = Scaler::new();
    for round in 0..2 {
        for (size, format) in [("320x180", "yuv420p"), ("160x120", "yuv444p"), ("320x180", "yuv420p10le")] {
            let name = format!("{round}-{size}-{format}.mp4");
            let source = format!("color=0xC08040:size={size}:duration=0.1");
            let path = clips.encode(&source, &format!("{LOSSLESS} -pix_fmt {format}"), &name);
            let image = first_frame(&path).scaled_rgb(&mut scaler, Size { width: 64, height: 48 }).unwrap();
            assert_near(pixel(&image, 30, 20), [192, 128, 64]);
        }
    }
}

#[test]
fn what_threads_share_can_be_sent() {
    fn check<T: Send>() {}
    check::<SegmentDecoder>();
    check::<Scaler>();
    check::<Frame>();
}
