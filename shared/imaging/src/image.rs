//! The one kind of image: eight-bit RGB in tightly packed rows, no padding.

use facereel_domain::geometry::Size;

/// The bytes do not fit the size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an RGB image of {width}x{height} needs {expected} bytes, not {actual}")]
pub struct ImageError {
    width: u32,
    height: u32,
    expected: usize,
    actual: usize,
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
        let expected = 3 * size.width as usize * size.height as usize;
        if data.len() == expected && expected > 0 {
            return Ok(Self { size, data });
        }
        Err(ImageError { width: size.width, height: size.height, expected, actual: data.len() })
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
