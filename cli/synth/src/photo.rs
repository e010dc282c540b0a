//! Loads the photos that people are cut out of, and makes sure that they are the ones whose faces were measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use facereel_domain::digest::Sha256Digest;
use facereel_domain::geometry::Size;
use facereel_imaging::{RgbImage, jpeg};

use crate::encode::ffmpeg_failed;
use crate::error::SynthError;
use crate::packaged::{MediaFile, Source};

/// The pictures at `sources` in the media folder. A video is opened once, however many of its frames are wanted.
pub(crate) fn load(
    sources: &BTreeSet<Source>,
    media_dir: &Path,
) -> Result<BTreeMap<Source, RgbImage>, SynthError> {
    let mut pictures = BTreeMap::new();
    let mut videos: BTreeMap<MediaFile, Vec<u32>> = BTreeMap::new();
    for source in sources {
        match source {
            Source::Still(file) => {
                let (path, bytes) = read_checked(*file, media_dir)?;
                let picture =
                    decode_still(&bytes).map_err(|reason| SynthError::Undecodable { path, reason })?;
                pictures.insert(*source, picture);
            }
            Source::VideoFrame(file, frame) => videos.entry(*file).or_default().push(*frame),
        }
    }
    for (file, frames) in videos {
        let (path, _) = read_checked(file, media_dir)?;
        let decoded = decode_video_frames(&path, &frames)?;
        pictures.extend(frames.iter().map(|f| Source::VideoFrame(file, *f)).zip(decoded));
    }
    Ok(pictures)
}

fn read_checked(file: MediaFile, media_dir: &Path) -> Result<(PathBuf, Vec<u8>), SynthError> {
    let path = media_dir.join(file.name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(SynthError::MediaMissing { path }),
        Err(source) => return Err(SynthError::File { path, source }),
    };
    let actual = Sha256Digest::of(&bytes).to_string();
    if actual != file.sha256 {
        return Err(SynthError::MediaChanged { path, expected: file.sha256, actual });
    }
    Ok((path, bytes))
}

/// The photo in a PNG or JPEG file.
pub fn read(path: &Path) -> Result<RgbImage, SynthError> {
    let bytes = fs::read(path).map_err(|source| SynthError::File { path: path.to_owned(), source })?;
    decode_still(&bytes).map_err(|reason| SynthError::Undecodable { path: path.to_owned(), reason })
}

fn decode_still(bytes: &[u8]) -> Result<RgbImage, String> {
    if bytes.starts_with(b"\x89PNG") {
        decode_png(bytes)
    } else {
        jpeg::decode(bytes).map_err(|e| e.to_string())
    }
}

fn decode_png(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let (width, height) = reader.info().size();
    if width.max(height) as usize > jpeg::MAX_SIDE_PX {
        return Err(format!("{width}x{height} is more than {} pixels a side", jpeg::MAX_SIDE_PX));
    }
    let mut raw = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
    let info = reader.next_frame(&mut raw).map_err(|e| e.to_string())?;
    raw.truncate(info.buffer_size());
    let gray = |channels: usize| raw.chunks_exact(channels).flat_map(|p| [p[0]; 3]).collect();
    let rgb = match info.color_type {
        png::ColorType::Rgb => raw,
        png::ColorType::Rgba => raw.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        png::ColorType::Grayscale => gray(1),
        png::ColorType::GrayscaleAlpha => gray(2),
        png::ColorType::Indexed => return Err("the palette was not expanded".to_owned()),
    };
    RgbImage::new(Size { width: info.width, height: info.height }, rgb).map_err(|e| e.to_string())
}

/// Frames, in ascending order, by the `ffmpeg` program, which writes the clip as well.
fn decode_video_frames(path: &Path, frames: &[u32]) -> Result<Vec<RgbImage>, SynthError> {
    let doing = "reading frames of a package's video";
    let wanted: Vec<String> = frames.iter().map(|n| format!("eq(n\\,{n})")).collect();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", &format!("select={}", wanted.join("+")), "-vsync", "passthrough"])
        .args(["-frames:v", &frames.len().to_string()])
        .args(["-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "-"])
        .output()
        .map_err(|e| ffmpeg_failed(doing, e.to_string()))?;
    if !output.status.success() {
        return Err(ffmpeg_failed(doing, String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut rest = output.stdout.as_slice();
    let mut pictures = Vec::with_capacity(frames.len());
    while let Some((picture, after)) = split_ppm(rest) {
        pictures.push(picture);
        rest = after;
    }
    if pictures.len() == frames.len() {
        return Ok(pictures);
    }
    let reason = format!("{} of {} frames were found in it", pictures.len(), frames.len());
    Err(SynthError::Undecodable { path: path.to_owned(), reason })
}

/// The first picture of a sequence of binary PPM files as ffmpeg writes them, and what follows it.
fn split_ppm(bytes: &[u8]) -> Option<(RgbImage, &[u8])> {
    let mut lines = bytes.splitn(4, |b| *b == b'\n');
    let (magic, size, depth, pixels) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    if magic != b"P6" || depth != b"255" {
        return None;
    }
    let (width, height) = std::str::from_utf8(size).ok()?.split_once(' ')?;
    let size = Size { width: width.parse().ok()?, height: height.parse().ok()? };
    let (rgb, after) = pixels.split_at_checked(3 * size.width as usize * size.height as usize)?;
    Some((RgbImage::new(size, rgb.to_vec()).ok()?, after))
}
