//! Whether two pictures show the same.

use facereel_domain::shot::{Thumbnail, change};

/// From this correlation on, two pictures have the same structure and differ by light only.
const SAME_STRUCTURE: f64 = 0.85;
/// The same where the colours differ too: lamps of other colours are rarer than pictures that happen to be alike.
const SAME_STRUCTURE_IN_OTHER_HUES: f64 = 0.95;
/// Up to this change two pictures, up to a second apart, show the same scene.
const SAME_CONTENT: f32 = 0.3;

/// From this cosine on, two pictures' colours point the same way.
const SAME_HUES: f64 = 0.5;
/// Pictures of less colour than this, in levels from grey, have no hue.
const COLOURED_LEVELS: f64 = 2.0;

const COLUMNS: usize = Thumbnail::CHROMA_WIDTH;
const ROWS: usize = Thumbnail::CHROMA_HEIGHT;

/// Correlation of two pictures' luma, see [`Structure::likeness`].
pub(super) fn structure(a: &Thumbnail, b: &Thumbnail) -> f64 {
    Structure::of(a).likeness(&Structure::of(b))
}

/// Whether two pictures differ by no more than light.
pub(super) fn is_relit(a: &Thumbnail, b: &Thumbnail) -> bool {
    let likeness = structure(a, b);
    likeness >= SAME_STRUCTURE_IN_OTHER_HUES || likeness >= SAME_STRUCTURE && has_same_hues(a, b)
}

/// Whether two pictures show the same scene, a moment apart.
pub(super) fn is_same_content(a: &Thumbnail, b: &Thumbnail) -> bool {
    change(a, b) <= SAME_CONTENT || is_relit(a, b)
}

/// Whether nothing speaks against the same colours in another light: light makes them paler or stronger, and leaves hues
/// as they are. Grey pictures go with all.
pub(super) fn has_same_hues(a: &Thumbnail, b: &Thumbnail) -> bool {
    let (mut along, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.cb.iter().chain(&a.cr).zip(b.cb.iter().chain(&b.cr)) {
        let (a, b) = (f64::from(*a) - 128.0, f64::from(*b) - 128.0);
        along += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    let grey = 2.0 * (COLUMNS * ROWS) as f64 * COLOURED_LEVELS * COLOURED_LEVELS;
    of_a < grey || of_b < grey || along >= SAME_HUES * (of_a * of_b).sqrt()
}

/// What stays of a picture when its light changes: block means of luma less their mean, scaled to length 1.
pub(super) struct Structure(Vec<f64>);

impl Structure {
    pub(super) fn of(picture: &Thumbnail) -> Self {
        let mut blocks = block_means(picture);
        let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
        let length = blocks.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
        for value in &mut blocks {
            *value = if length > 0.0 { (*value - mean) / length } else { 0.0 };
        }
        Self(blocks)
    }

    /// Correlation, -1 to 1. It does not change when one picture becomes brighter, darker, paler or nearly white; 0
    /// where one is all of one level.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
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
