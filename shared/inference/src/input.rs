//! Pixels into tensors: colour planes, normalisation, padding, and one buffer that is used again and again.

use facereel_domain::geometry::Size;
use facereel_imaging::RgbImage;
use ort::value::Tensor;

use crate::spec::{ChannelOrder, PixelFormat};

/// An input buffer of the last image's shape. Images of one size fill it without an allocation, and the padding, which
/// stays as it was, is not written again.
pub(crate) struct InputBuffer {
    format: PixelFormat,
    filled: Option<Filled>,
}

struct Filled {
    tensor: Tensor<f32>,
    image: Size,
    padded: Size,
}

impl InputBuffer {
    pub(crate) fn new(format: PixelFormat) -> Self {
        Self { format, filled: None }
    }

    /// A tensor `[1, 3, height, width]` of the size `padded`, with the image in its upper left corner; the rest is black.
    pub(crate) fn fill(&mut self, image: &RgbImage, padded: Size) -> ort::Result<&Tensor<f32>> {
        let format = self.format;
        let fits = |f: &Filled| f.image == image.size() && f.padded == padded;
        let filled = if let Some(filled) = self.filled.take().filter(fits) {
            self.filled.insert(filled)
        } else {
            let black = (0.0 - format.mean) * format.scale;
            let (height, width) = (padded.height as usize, padded.width as usize);
            let tensor = Tensor::from_array(([1, 3, height, width], vec![black; 3 * height * width]))?;
            self.filled.insert(Filled { tensor, image: image.size(), padded })
        };
        let (_, planes) = filled.tensor.extract_tensor_mut();
        write_planes(image, planes, padded, &format);
        Ok(&filled.tensor)
    }
}

fn write_planes(image: &RgbImage, planes: &mut [f32], padded: Size, format: &PixelFormat) {
    let (width, stride) = (image.size().width as usize, padded.width as usize);
    let (first, rest) = planes.split_at_mut(planes.len() / 3);
    let (second, third) = rest.split_at_mut(first.len());
    let (red, blue) = match format.order {
        ChannelOrder::Rgb => (first, third),
        ChannelOrder::Bgr => (third, first),
    };
    let rows =
        red.chunks_exact_mut(stride).zip(second.chunks_exact_mut(stride)).zip(blue.chunks_exact_mut(stride));
    for (row, ((red, green), blue)) in image.data().chunks_exact(width * 3).zip(rows) {
        let places = red.iter_mut().zip(green).zip(blue);
        for (pixel, ((red, green), blue)) in row.chunks_exact(3).zip(places) {
            *red = (f32::from(pixel[0]) - format.mean) * format.scale;
            *green = (f32::from(pixel[1]) - format.mean) * format.scale;
            *blue = (f32::from(pixel[2]) - format.mean) * format.scale;
        }
    }
}
