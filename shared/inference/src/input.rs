//! Pixels into tensors: colour planes, normalisation, padding, and one buffer that is used again and again.

use std::iter;

use facereel_domain::geometry::Size;
use facereel_imaging::RgbImage;
use ort::value::TensorRef;

use crate::spec::{ChannelOrder, PixelFormat};

/// An input buffer as large as the largest batch so far. Images of one size fill it without an allocation, and the padding,
/// which stays as it was, is not written again.
pub(crate) struct InputBuffer {
    format: PixelFormat,
    values: Vec<f32>,
    /// Size of the images that `values` holds, and what they are padded to.
    sizes: Option<(Size, Size)>,
}

impl InputBuffer {
    pub(crate) fn new(format: PixelFormat) -> Self {
        Self { format, values: Vec::new(), sizes: None }
    }

    /// A tensor `[1, 3, height, width]` of the size `padded`, with the image in its upper left corner; the rest is black.
    pub(crate) fn fill(&mut self, image: &RgbImage, padded: Size) -> ort::Result<TensorRef<'_, f32>> {
        self.fill_batch(iter::once(image), (image.size(), padded))
    }

    /// A tensor `[n, 3, height, width]` of `n` images, all of the size `image`, each padded as [`Self::fill`] does.
    pub(crate) fn fill_batch<'a>(
        &mut self,
        images: impl ExactSizeIterator<Item = &'a RgbImage>,
        (image, padded): (Size, Size),
    ) -> ort::Result<TensorRef<'_, f32>> {
        if self.sizes.replace((image, padded)) != Some((image, padded)) {
            self.values.clear();
        }
        let (count, height, width) = (images.len(), padded.height as usize, padded.width as usize);
        let black = (0.0 - self.format.mean) * self.format.scale;
        self.values.resize(count * 3 * height * width, black);
        for (image, planes) in images.zip(self.values.chunks_exact_mut(3 * height * width)) {
            write_planes(image, planes, padded, &self.format);
        }
        TensorRef::from_array_view(([count, 3, height, width], self.values.as_slice()))
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
