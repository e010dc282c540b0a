//! Whether two pictures show the same.

use facereel_domain::shot::{Thumbnail, change};

/// From this correlation on, two pictures have the same structure and differ by light only.
const SAME_STRUCTURE: f64 = 0.85;
/// Up to this change two pictures, up to a second apart, show the same scene.
const SAME_CONTENT: f32 = 0.3;

const COLUMNS: usize = Thumbnail::CHROMA_WIDTH;
const ROWS: usize = Thumbnail::CHROMA_HEIGHT;

/// Correlation of two pictures' luma, -1 to 1, on 16 x 9 blocks. It does not change when one of them becomes brighter,
/// darker, paler or nearly white; 0 where one is all of one level.
pub(super) fn structure(a: &Thumbnail, b: &Thumbnail) -> f64 {
    let (a, b) = (centred(a), centred(b));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let energy = dot(&a, &a) * dot(&b, &b);
    if energy > 0.0 { dot(&a, &b) / energy.sqrt() } else { 0.0 }
}

/// Whether two pictures differ by no more than light.
pub(super) fn is_relit(a: &Thumbnail, b: &Thumbnail) -> bool {
    structure(a, b) >= SAME_STRUCTURE
}

/// Whether two pictures show the same scene, a moment apart.
pub(super) fn is_same_content(a: &Thumbnail, b: &Thumbnail) -> bool {
    change(a, b) <= SAME_CONTENT || is_relit(a, b)
}

/// Block means of luma less the picture's mean.
fn centred(picture: &Thumbnail) -> Vec<f64> {
    let mut blocks = block_means(picture);
    let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
    blocks.iter_mut().for_each(|value| *value -= mean);
    blocks
}

/// Luma on 16 x 9 blocks, as chroma is, so that small movements matter less.
pub(super) fn block_means(picture: &Thumbnail) -> Vec<f64> {
    let block = |at: usize| {
        let corner = at / COLUMNS * 2 * Thumbnail::WIDTH + at % COLUMNS * 2;
        let below = corner + Thumbnail::WIDTH;
        [corner, corner + 1, below, below + 1].iter().map(|&i| f64::from(picture.luma[i])).sum::<f64>() / 4.0
    };
    (0..COLUMNS * ROWS).map(block).collect()
}
