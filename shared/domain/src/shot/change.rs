//! How much one frame differs from another.

use super::Thumbnail;

const WIDTH: usize = Thumbnail::CHROMA_WIDTH;
const HEIGHT: usize = Thumbnail::CHROMA_HEIGHT;

/// From this difference on, in levels of 255, a block counts as wholly changed (in bright, rich pictures).
const FULL_LEVELS: f32 = 16.0;
/// The same in the faintest pictures: below, noise and compression would count.
const FULL_LEVELS_FAINT: f32 = 4.0;
/// A picture is faint where this share of its spread is less than [`FULL_LEVELS`].
const FULL_SHARE_OF_SPREAD: f32 = 0.5;

/// How much of the picture changed from `a` to `b`, 0 (nothing) to 1 (all of it); the same both ways.
///
/// The picture is divided into 16 x 9 blocks. A block's difference is how far its values lie outside the range of the
/// values around the same place in the other picture, so that content which moved by less than a block (3 % of the
/// picture's width for luma, 6 % for chroma) costs nothing. Differences of luma, blue and red are added and count fully
/// from 16 levels on: the measure tells how *much of the picture* is new, not how glaring it is. Someone who walks
/// past changes a part of the blocks, a cut most of them. In pictures with little contrast fewer levels suffice.
///
/// On films, cuts lie between 0.35 and 1, motion within a shot mostly below 0.1 and seldom above 0.3.
///
/// # Panics
///
/// Where a plane has the wrong length (see [`Thumbnail::new`]).
#[must_use]
pub fn change(a: &Thumbnail, b: &Thumbnail) -> f32 {
    let spread = a.statistics().spread.max(b.statistics().spread);
    let full_levels = (spread * FULL_SHARE_OF_SPREAD).clamp(FULL_LEVELS_FAINT, FULL_LEVELS);
    // Four luma values fall on a block, so that sums are in quarters of a level.
    let full = (full_levels * 4.0).round() as u32;
    let changed = changed_quarters(a, b, full) + changed_quarters(b, a, full);
    changed as f32 / (2 * WIDTH as u32 * HEIGHT as u32 * full) as f32
}

/// The sum of all blocks' differences of `a` from the surroundings in `b`, each at most `full`.
fn changed_quarters(a: &Thumbnail, b: &Thumbnail, full: u32) -> u32 {
    let luma = outside(&a.luma, &b.luma, Thumbnail::WIDTH);
    let cb = outside(&a.cb, &b.cb, WIDTH);
    let cr = outside(&a.cr, &b.cr, WIDTH);
    let block = |row: usize, column: usize| {
        let at = 2 * row * Thumbnail::WIDTH + 2 * column;
        let below = at + Thumbnail::WIDTH;
        let quarters: u32 = [at, at + 1, below, below + 1].iter().map(|&i| u32::from(luma[i])).sum();
        let chroma_at = row * WIDTH + column;
        (quarters + 4 * (u32::from(cb[chroma_at]) + u32::from(cr[chroma_at]))).min(full)
    };
    (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (row, column))).map(|(r, c)| block(r, c)).sum()
}

/// How far each value of `a` lies outside the range of the 3 x 3 values around its place in `b`.
fn outside(a: &[u8], b: &[u8], width: usize) -> Vec<u8> {
    assert_eq!(a.len(), b.len(), "planes of two thumbnails have the same length");
    let height = b.len() / width;
    // The range over three columns first, then over three rows of these.
    let across: Vec<(u8, u8)> = b
        .chunks_exact(width)
        .flat_map(|row| (0..width).map(|x| range(&row[x.saturating_sub(1)..(x + 2).min(width)])))
        .collect();
    (0..a.len())
        .map(|at| {
            let (x, y) = (at % width, at / width);
            let rows = y.saturating_sub(1)..(y + 2).min(height);
            let (low, high) = rows
                .map(|row| across[row * width + x])
                .fold((u8::MAX, 0), |(low, high), (l, h)| (low.min(l), high.max(h)));
            low.saturating_sub(a[at]).max(a[at].saturating_sub(high))
        })
        .collect()
}

/// The smallest value and the largest.
fn range(values: &[u8]) -> (u8, u8) {
    values.iter().fold((u8::MAX, 0), |(low, high), &v| (low.min(v), high.max(v)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(luma: impl Fn(usize, usize) -> u8) -> Thumbnail {
        let values = (0..576).map(|i| luma(i % 32, i / 32)).collect();
        Thumbnail::new(values, vec![128; 144], vec![128; 144]).unwrap()
    }

    /// A picture with structure, different for each seed.
    fn scene(seed: usize, shift: usize) -> Thumbnail {
        picture(|x, y| (((x + shift) / 4 * 53 + y / 4 * 97 + seed * 71) * (seed + 3) % 200 + 28) as u8)
    }

    fn any_picture() -> impl Strategy<Value = Thumbnail> {
        let plane = |len| proptest::collection::vec(any::<u8>(), len);
        (plane(576), plane(144), plane(144)).prop_map(|(y, u, v)| Thumbnail::new(y, u, v).unwrap())
    }

    #[test]
    fn a_picture_that_moves_by_a_value_does_not_change() {
        let moved = change(&scene(1, 0), &scene(1, 1));
        assert!(moved < 0.05, "{moved}");
    }

    #[test]
    fn another_picture_changes_most_of_it() {
        let cut = change(&scene(1, 0), &scene(2, 0));
        assert!(cut > 0.5, "{cut}");
    }

    #[test]
    fn a_quarter_that_is_new_is_a_quarter_of_the_change() {
        let before = picture(|_, _| 60);
        let after = picture(|x, _| if x < 8 { 200 } else { 60 });
        let changed = change(&before, &after);
        assert!((0.2..=0.27).contains(&changed), "{changed}");
    }

    #[test]
    fn another_colour_of_the_same_brightness_is_a_change() {
        let before = picture(|_, _| 100);
        let mut after = before.clone();
        after.cr.fill(150);
        assert!((change(&before, &after) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn faint_pictures_need_fewer_levels() {
        let faint = |seed| picture(move |x, y| (30 + (x / 8 * 3 + y / 6 * 5 + seed) % 2 * 8) as u8);
        let rich = |seed| {
            let inner = faint(seed);
            picture(move |x, y| if y == 0 { (x * 8) as u8 } else { inner.luma[y * 32 + x] })
        };
        assert!(change(&faint(0), &faint(1)) > change(&rich(0), &rich(1)));
    }

    proptest! {
        #[test]
        fn change_is_symmetric_and_within_its_scale(a in any_picture(), b in any_picture()) {
            let forth = change(&a, &b);
            prop_assert!((0.0..=1.0).contains(&forth));
            prop_assert_eq!(forth.to_bits(), change(&b, &a).to_bits());
            prop_assert_eq!(change(&a, &a).to_bits(), 0);
        }
    }
}
