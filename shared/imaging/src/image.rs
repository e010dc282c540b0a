//! Eight-bit images: tightly packed rows, no padding.

use facereel_domain::geometry::Size;

/// The bytes do not fit the size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an image of {width}x{height} with {channels} channels needs {expected} bytes, not {actual}")]
pub struct ImageError {
    width: u32,
    height: u32,
    channels: usize,
    expected: usize,
    actual: usize,
}

fn check(size: Size, channels: usize, actual: usize) -> Result<(), ImageError> {
    let expected = size.width as usize * size.height as usize * channels;
    if actual == expected && expected > 0 {
        return Ok(());
    }
    Err(ImageError { width: size.width, height: size.height, channels, expected, actual })
}

/// RGB, full range, interleaved, row by row; at least one pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    size: Size,
    data: Vec<u8>,
}

impl RgbImage {
    /// An image over `data` of exactly `3 x width x height` bytes.
    pub fn new(size: Size, data: Vec<u8>) -> Result<Self, ImageError> {
        check(size, 3, data.len())?;
        Ok(Self { size, data })
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// All bytes, `R G B R G B ...`.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All bytes, to change in place.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }
}

/// Luma or grey, full range, row by row; at least one pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrayImage {
    size: Size,
    data: Vec<u8>,
}

impl GrayImage {
    /// An image over `data` of exactly `width x height` bytes.
    pub fn new(size: Size, data: Vec<u8>) -> Result<Self, ImageError> {
        check(size, 1, data.len())?;
        Ok(Self { size, data })
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// All bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}
