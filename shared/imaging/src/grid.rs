//! A face's luma on a grid of fixed size, so that measures on it compare across faces of any size.

use facereel_domain::geometry::BBox;

use crate::RgbImage;

/// Cells a side of the grid.
pub(crate) const SIDE: usize = 64;

/// Luma 0..=255 (BT.601 weights), row by row.
pub(crate) type LumaGrid = [f32; SIDE * SIDE];

/// The luma under `face` on a grid of [`SIDE`] x [`SIDE`].
///
/// Large faces are first reduced by a whole factor (mean of at most 2 x 2 places a block: bounded cost), then the rest is
/// bilinear. Small faces are stretched and become smooth, as their lack of detail demands. Places outside of the image
/// take the nearest pixel.
pub(crate) fn luma_under(image: &RgbImage, face: &BBox) -> LumaGrid {
    let [x0, y0, _, _] = face.xyxy();
    let columns = Axis::new(x0, face.width(), image.size().width);
    let rows = Axis::new(y0, face.height(), image.size().height);
    let reduced = reduce(image, &columns, &rows);
    let mut grid = [0.0; SIDE * SIDE];
    let taps: [(usize, f32); SIDE] = std::array::from_fn(|i| columns.tap(i));
    for (row, out) in grid.chunks_exact_mut(SIDE).enumerate() {
        let (top, v) = rows.tap(row);
        let upper = &reduced[top * columns.blocks..(top + 1) * columns.blocks];
        let lower = &reduced[(top + 1) * columns.blocks..(top + 2) * columns.blocks];
        for (cell, &(left, u)) in out.iter_mut().zip(&taps) {
            let above = upper[left] + u * (upper[left + 1] - upper[left]);
            let below = lower[left] + u * (lower[left + 1] - lower[left]);
            *cell = above + v * (below - above);
        }
    }
    grid
}

/// One direction of the sampling: first reduction to blocks, then linear taps between blocks.
struct Axis {
    start: f32,
    cell_px: f32,
    factor: usize,
    blocks: usize,
    limit: usize,
}

impl Axis {
    fn new(start: f32, extent: f32, limit: u32) -> Self {
        let cell_px = extent / SIDE as f32;
        let factor = (cell_px as usize).max(1);
        // One block more on either side, so that taps near the ends have two neighbours.
        let blocks = (extent / factor as f32).ceil() as usize + 3;
        Self { start, cell_px, factor, blocks, limit: limit as usize }
    }

    /// The image positions that block `block` averages: one, or two in a block of several pixels.
    fn places(&self, block: usize) -> [usize; 2] {
        let first = self.start.floor() as i64 + (block as i64 - 1) * self.factor as i64;
        let (near, far) = (self.factor / 4, self.factor - 1 - self.factor / 4);
        [near, far].map(|offset| (first + offset as i64).clamp(0, self.limit as i64 - 1) as usize)
    }

    /// The block left of cell `cell`'s middle, and the weight of the block after it.
    fn tap(&self, cell: usize) -> (usize, f32) {
        let middle = (cell as f32 + 0.5) * self.cell_px + self.start.fract();
        let place = middle / self.factor as f32 + 0.5;
        let left = (place.floor().max(0.0) as usize).min(self.blocks - 2);
        (left, (place - left as f32).clamp(0.0, 1.0))
    }
}

fn reduce(image: &RgbImage, columns: &Axis, rows: &Axis) -> Vec<f32> {
    let width = image.size().width as usize;
    let both: Vec<[usize; 2]> = (0..columns.blocks).map(|b| columns.places(b)).collect();
    let single = columns.factor == 1 && rows.factor == 1;
    let mut reduced = Vec::with_capacity(columns.blocks * rows.blocks);
    for block in 0..rows.blocks {
        let [near, far] = rows.places(block).map(|y| &image.data()[y * width * 3..(y + 1) * width * 3]);
        if single {
            reduced.extend(both.iter().map(|&[x, _]| luma(near, x)));
        } else {
            reduced.extend(
                both.iter()
                    .map(|&[x, z]| (luma(near, x) + luma(near, z) + luma(far, x) + luma(far, z)) * 0.25),
            );
        }
    }
    reduced
}

fn luma(row: &[u8], x: usize) -> f32 {
    let pixel = &row[x * 3..x * 3 + 3];
    let sum = 77 * u32::from(pixel[0]) + 150 * u32::from(pixel[1]) + 29 * u32::from(pixel[2]);
    sum as f32 / 256.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::Size;
    use rstest::rstest;

    fn ramp(width: u32, height: u32) -> RgbImage {
        let data = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x * 200 / width + y * 50 / height) as u8; 3]))
            .collect();
        RgbImage::new(Size { width, height }, data).unwrap()
    }

    #[rstest]
    #[case(24)]
    #[case(64)]
    #[case(100)]
    #[case(333)]
    #[case(1000)]
    fn a_ramp_stays_a_ramp_at_any_size(#[case] side: u32) {
        let image = ramp(side * 2, side * 2);
        let (from, to) = (side as f32 / 2.0, side as f32 * 1.5);
        let grid = luma_under(&image, &BBox::from_xyxy([from, from, to, to]).unwrap());
        // Luma at a place p of the image, as a share of its side, is 250 p on the diagonal.
        for cell in [0, 31, 63] {
            let expected = 250.0 * (0.25 + 0.5 * (cell as f32 + 0.5) / SIDE as f32);
            let found = grid[cell * SIDE + cell];
            assert!((found - expected).abs() < 6.0, "cell {cell}: {found}, not {expected}");
        }
    }

    #[test]
    fn a_box_that_leaves_the_image_takes_the_edge_pixels() {
        let grid = luma_under(&ramp(40, 40), &BBox::from_xyxy([-30.0, -30.0, 70.0, 70.0]).unwrap());
        assert!(grid.iter().all(|v| v.is_finite()));
        assert!(grid[0] < 3.0);
    }
}
