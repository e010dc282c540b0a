//! Reduction of RGB images by whole factors: without aliasing, since every source pixel counts.

use facereel_domain::geometry::Size;

use crate::RgbImage;

/// The image made `factor` times smaller; each pixel is the rounded mean of its block. Blocks at the right and lower edge
/// may be narrower: no source pixel is dropped. Factor 0 counts as 1.
#[must_use]
pub fn by_area(image: &RgbImage, factor: u32) -> RgbImage {
    let factor = factor.max(1);
    let Size { width, height } = image.size();
    let size = Size { width: width.div_ceil(factor), height: height.div_ceil(factor) };
    let row_bytes = width as usize * 3;
    let block_bytes = factor as usize * 3;
    let mut data = Vec::with_capacity(size.width as usize * size.height as usize * 3);
    let mut sums = vec![0_u32; row_bytes];
    for rows in image.data().chunks(row_bytes * factor as usize) {
        sums.fill(0);
        for row in rows.chunks_exact(row_bytes) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += u32::from(*value);
            }
        }
        let row_count = (rows.len() / row_bytes) as u32;
        for block in sums.chunks(block_bytes) {
            let count = row_count * (block.len() / 3) as u32;
            let mut total = [0_u32; 3];
            for pixel in block.chunks_exact(3) {
                for (t, v) in total.iter_mut().zip(pixel) {
                    *t += v;
                }
            }
            data.extend(total.map(|t| ((t + count / 2) / count) as u8));
        }
    }
    RgbImage::new(size, data).unwrap_or_else(|_| unreachable!("one pixel was pushed per block"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_becomes_its_mean_and_edge_blocks_count_their_own_pixels() {
        let data = (0..5 * 3).flat_map(|i| [i as u8 * 10, 0, 255]).collect();
        let small = by_area(&RgbImage::new(Size { width: 5, height: 3 }, data).unwrap(), 2);
        assert_eq!(small.size(), Size { width: 3, height: 2 });
        let red: Vec<u8> = small.data().chunks(3).map(|p| p[0]).collect();
        // Values are 10 x index; blocks {0, 1, 5, 6}, {2, 3, 7, 8}, {4, 9}, {10, 11}, {12, 13}, {14}.
        assert_eq!(red, [30, 50, 65, 105, 125, 140]);
        assert!(small.data().chunks(3).all(|p| p[1] == 0 && p[2] == 255));
    }
}
