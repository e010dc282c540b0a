//! Loads the photos that people are cut out of, and makes sure that they are the ones whose faces were measured.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use facereel_domain::digest::Sha256Digest;
use facereel_domain::geometry::Size;
use facereel_imaging::RgbImage;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::cast::{MediaFile, Source};
use crate::encode::ffmpeg_failed;
use crate::error::SynthError;

/// The picture at `source` in the media folder.
pub(crate) fn load(source: Source, media_dir: &Path) -> Result<RgbImage, SynthError> {
    match source {
        Source::Still(file) => {
            let (path, bytes) = read(file, media_dir)?;
            decode_still(&bytes).map_err(|reason| SynthError::Undecodable { path, reason })
        }
        Source::VideoFrame(file, frame) => {
            let (path, _) = read(file, media_dir)?;
            decode_video_frame(&path, frame)
        }
    }
}

fn read(file: MediaFile, media_dir: &Path) -> Result<(PathBuf, Vec<u8>), SynthError> {
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

fn decode_still(bytes: &[u8]) -> Result<RgbImage, String> {
    if bytes.starts_with(b"\x89PNG") { decode_png(bytes) } else { decode_jpeg(bytes) }
}

fn decode_png(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
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

fn decode_jpeg(bytes: &[u8]) -> Result<RgbImage, String> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|e| e.to_string())?;
    let info = decoder.info().ok_or("the picture has no size")?;
    let size = Size { width: u32::from(info.width), height: u32::from(info.height) };
    RgbImage::new(size, rgb).map_err(|e| e.to_string())
}

/// One frame by the `ffmpeg` program, which writes the clip as well; as PNG, so that the size comes with it.
fn decode_video_frame(path: &Path, frame: u32) -> Result<RgbImage, SynthError> {
    let doing = "reading a frame of a package's video";
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", &format!("select=eq(n\\,{frame})"), "-frames:v", "1"])
        .args(["-c:v", "png", "-pix_fmt", "rgb24", "-f", "image2pipe", "-"])
        .output()
        .map_err(|e| ffmpeg_failed(doing, e.to_string()))?;
    if !output.status.success() {
        return Err(ffmpeg_failed(doing, String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    decode_png(&output.stdout).map_err(|reason| SynthError::Undecodable { path: path.to_owned(), reason })
}
