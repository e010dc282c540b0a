//! Frames made tiny, cheaply: block means over sparse samples, read straight from the planes.

use facereel_domain::geometry::{PixelRect, Size};
use facereel_domain::shot::Thumbnail;
use ffmpeg_next::frame;

use crate::error::DecodeError;
use crate::raw::{self, Component, PixelLayout};
use crate::scaler::{self, Scaler};
use crate::sws::Range;

/// Samples a block, across and down.
const SAMPLES: usize = 8;

/// The thumbnail of a frame as it is coded; full-range values, whatever range the frame has.
pub(crate) fn of(video: &frame::Video, scaler: &mut Scaler) -> Result<Thumbnail, DecodeError> {
    match raw::pixel_layout(video.format()) {
        Some(layout) if layout.is_plain && !layout.is_rgb && raw::has_upright_planes(video) => {
            Ok(from_planes(video, &layout))
        }
        _ => from_rgb(video, scaler),
    }
}

fn from_planes(video: &frame::Video, layout: &PixelLayout) -> Thumbnail {
    let range = scaler::range(video, layout);
    let size = (video.width() as usize, video.height() as usize);
    let (across, down) = layout.chroma_shift;
    let chroma_size = (size.0.div_ceil(1 << across), size.1.div_ceil(1 << down));
    let luma = block_means(video, layout.components[0], size, (Thumbnail::WIDTH, Thumbnail::HEIGHT));
    let chroma = |index: usize| match layout.components.get(index) {
        Some(component) if layout.components.len() > 2 => {
            let grid = (Thumbnail::CHROMA_WIDTH, Thumbnail::CHROMA_HEIGHT);
            let means = block_means(video, *component, chroma_size, grid);
            means.into_iter().map(|v| full_chroma(v, range)).collect()
        }
        _ => vec![128; Thumbnail::CHROMA_WIDTH * Thumbnail::CHROMA_HEIGHT],
    };
    Thumbnail { luma: luma.into_iter().map(|v| full_luma(v, range)).collect(), cb: chroma(1), cr: chroma(2) }
}

/// Means of one component over a grid of blocks, as 8-bit values with fractions.
fn block_means(
    video: &frame::Video,
    component: Component,
    size: (usize, usize),
    grid: (usize, usize),
) -> Vec<f32> {
    let plane = video.data(component.plane);
    let stride = video.stride(component.plane);
    // Sample k of n lies in the middle of the k-th of n equal parts.
    let place = |k: usize, n: usize, len: usize| (2 * k + 1) * len / (2 * n);
    let columns: Vec<usize> = (0..grid.0 * SAMPLES)
        .map(|k| place(k, grid.0 * SAMPLES, size.0) * component.step + component.offset)
        .collect();
    let mut sums = vec![0_u32; grid.0 * grid.1];
    let is_wide = component.depth > 8;
    for k in 0..grid.1 * SAMPLES {
        let row = &plane[place(k, grid.1 * SAMPLES, size.1) * stride..];
        let blocks = &mut sums[k / SAMPLES * grid.0..][..grid.0];
        for (sum, columns) in blocks.iter_mut().zip(columns.chunks_exact(SAMPLES)) {
            *sum += if is_wide {
                columns.iter().map(|at| wide_sample(row, *at, component.shift)).sum::<u32>()
            } else {
                columns.iter().map(|at| u32::from(row[*at])).sum::<u32>()
            };
        }
    }
    let to_8_bits = 1.0 / (SAMPLES * SAMPLES) as f32 / (1_u32 << (component.depth - 8).min(8)) as f32;
    sums.into_iter().map(|sum| sum as f32 * to_8_bits).collect()
}

fn wide_sample(row: &[u8], at: usize, shift: u32) -> u32 {
    u32::from(u16::from_ne_bytes([row[at], row[at + 1]])) >> shift
}

fn full_luma(value: f32, range: Range) -> u8 {
    match range {
        Range::Full => (value + 0.5) as u8,
        Range::Limited => ((value - 16.0) * (255.0 / 219.0) + 0.5) as u8,
    }
}

fn full_chroma(value: f32, range: Range) -> u8 {
    match range {
        Range::Full => (value + 0.5) as u8,
        Range::Limited => ((value - 128.0) * (255.0 / 224.0) + 128.5) as u8,
    }
}

/// For formats that are not read here: swscale makes a small picture, and that is averaged (BT.601, full range).
fn from_rgb(video: &frame::Video, scaler: &mut Scaler) -> Result<Thumbnail, DecodeError> {
    let whole = PixelRect { x: 0, y: 0, width: video.width(), height: video.height() };
    let luma_size = Size { width: Thumbnail::WIDTH as u32, height: Thumbnail::HEIGHT as u32 };
    let chroma_size = Size { width: Thumbnail::CHROMA_WIDTH as u32, height: Thumbnail::CHROMA_HEIGHT as u32 };
    let fine = scaler.convert(video, whole, luma_size)?;
    let coarse = scaler.convert(video, whole, chroma_size)?;
    let weigh = |pixel: &[u8], [r, g, b]: [f32; 3], zero: f32| {
        (r * f32::from(pixel[0]) + g * f32::from(pixel[1]) + b * f32::from(pixel[2]) + zero + 0.5) as u8
    };
    let plane = |data: &[u8], weights: [f32; 3], zero: f32| {
        data.chunks_exact(3).map(|p| weigh(p, weights, zero)).collect()
    };
    Ok(Thumbnail {
        luma: plane(fine.data(), [0.299, 0.587, 0.114], 0.0),
        cb: plane(coarse.data(), [-0.168_736, -0.331_264, 0.5], 128.0),
        cr: plane(coarse.data(), [0.5, -0.418_688, -0.081_312], 128.0),
    })
}
