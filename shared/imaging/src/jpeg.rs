//! JPEG in and out: chips travel between stages, and crops leave the program, as baseline 4:2:0 JPEG.
//!
//! Chroma is halved always: the pictures come from 4:2:0 video, so full chroma would store what nobody recorded.
//! Every face of a video is encoded once, so the encoder is libjpeg-turbo, several times as fast as those in Rust. What is
//! decoded was once written elsewhere and may be hostile: there the decoder is one in safe Rust.

use facereel_domain::geometry::Size;
use turbojpeg::{Image, PixelFormat, Subsamp};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::RgbImage;

/// Pixels a side that `decode` takes at most: a bound on what a damaged or hostile header can make us allocate.
pub const MAX_SIDE_PX: usize = 8192;

/// A picture that can't be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JpegError {
    /// JPEG can't hold the image.
    #[error("can't encode {width}x{height} pixels as JPEG: {reason}")]
    Encode {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The encoder's words.
        reason: String,
    },
    /// The bytes are no JPEG of at most [`MAX_SIDE_PX`] a side.
    #[error("can't decode {bytes} bytes as JPEG: {reason}")]
    Decode {
        /// Length of the input.
        bytes: usize,
        /// The decoder's words.
        reason: String,
    },
}

/// The image as baseline JPEG; `quality` 1 (small) to 100 (fine), values outside are taken as the nearest. The same image
/// and quality give the same bytes.
pub fn encode(image: &RgbImage, quality: u8) -> Result<Vec<u8>, JpegError> {
    let Size { width, height } = image.size();
    let picture = Image {
        pixels: image.data(),
        width: width as usize,
        pitch: 3 * width as usize,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    turbojpeg::compress(picture, i32::from(quality.clamp(1, 100)), Subsamp::Sub2x2)
        .map(|bytes| bytes.to_vec())
        .map_err(|e| JpegError::Encode { width, height, reason: e.to_string() })
}

/// The picture in `bytes` as RGB (grey pictures too).
pub fn decode(bytes: &[u8]) -> Result<RgbImage, JpegError> {
    let refused = |reason: String| JpegError::Decode { bytes: bytes.len(), reason };
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE_PX)
        .set_max_height(MAX_SIDE_PX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|e| refused(format!("{e:?}")))?;
    let info = decoder.info().ok_or_else(|| refused("it has no frame header".to_owned()))?;
    let size = Size { width: u32::from(info.width), height: u32::from(info.height) };
    RgbImage::new(size, pixels).map_err(|e| refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: u32, height: u32) -> RgbImage {
        let pixel = |x: u32, y: u32| [(x * 255 / width) as u8, (y * 255 / height) as u8, 128];
        let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        RgbImage::new(Size { width, height }, data).unwrap()
    }

    #[test]
    fn a_picture_survives_the_round_trip_within_a_few_levels() {
        let image = gradient(97, 61);
        let back = decode(&encode(&image, 95).unwrap()).unwrap();
        assert_eq!(back.size(), image.size());
        let worst = image.data().iter().zip(back.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 8, "a channel is off by {worst}");
    }

    #[test]
    fn equal_images_give_equal_bytes() {
        let image = gradient(64, 48);
        assert_eq!(encode(&image, 90).unwrap(), encode(&image, 90).unwrap());
        assert!(encode(&image, 50).unwrap().len() < encode(&image, 95).unwrap().len());
    }

    #[test]
    fn what_is_no_jpeg_is_an_error_not_a_panic() {
        let whole = encode(&gradient(64, 48), 90).unwrap();
        assert!(decode(&[]).is_err());
        assert!(decode(b"\x89PNG\r\n\x1a\n").is_err());
        assert!(decode(&whole[..20]).is_err());
    }

    #[test]
    fn a_header_that_promises_a_huge_picture_is_refused_before_memory_is_taken() {
        let mut bytes = encode(&gradient(64, 48), 90).unwrap();
        let frame_header = bytes.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
        bytes[frame_header + 5..frame_header + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
        assert!(decode(&bytes).is_err());
    }

    #[test]
    fn an_image_wider_than_jpeg_allows_is_refused() {
        let wide = RgbImage::new(Size { width: 70_000, height: 1 }, vec![0; 210_000]).unwrap();
        assert!(matches!(encode(&wide, 90), Err(JpegError::Encode { width: 70_000, .. })));
    }
}
