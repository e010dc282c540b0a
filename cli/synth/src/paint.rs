//! Puts actors, light and film grain onto a frame.

use facereel_domain::geometry::Size;

use crate::actor::{Actor, Placement, SHOULDERS, STRAIGHT, head_opacity, neck_opacity, torso_opacity};
use crate::cutout::Cutout;
use crate::random::SplitMix;

/// A frame being painted: RGB.
pub(crate) struct Canvas<'a> {
    pub(crate) size: Size,
    pub(crate) rgb: &'a mut [u8],
}

impl Canvas<'_> {
    /// Paints a person over what is there: the drawn body, then the head from the photo.
    pub(crate) fn person(&mut self, actor: &Actor, placed: &Placement<'_>, cutout: &mut Cutout) {
        self.body(actor, placed, cutout.skin);
        self.head(actor, placed, cutout);
    }

    fn body(&mut self, actor: &Actor, placed: &Placement<'_>, skin: [f32; 3]) {
        let [x0, y0, x1, y1] = placed.face_box();
        let (x, y) = (f64::midpoint(x0, x1), f64::midpoint(y0, y1));
        let reach = SHOULDERS * placed.face_height;
        let clothes = actor.clothes.map(f32::from);
        let paint = |point| {
            let body = placed.body_point(point);
            let (torso, neck) = (torso_opacity(body), neck_opacity(body));
            let round = 1.0 - 0.45 * (body[0] / SHOULDERS) * (body[0] / SHOULDERS);
            let (color, shadow) = if torso >= neck { (clothes, round) } else { (skin, NECK_SHADOW) };
            (torso.max(neck), color.map(|v| v * shadow as f32))
        };
        let straight = y + STRAIGHT * placed.face_height;
        let bottom = f64::from(self.size.height);
        self.blend([x - reach, y, x + reach, straight.min(bottom)], paint);
        self.blend_rows([x - reach, straight.ceil(), x + reach, bottom], paint);
    }

    fn head(&mut self, actor: &Actor, placed: &Placement<'_>, cutout: &mut Cutout) {
        let level = cutout.level_for(placed.scale);
        let oval = actor.person.oval;
        self.blend(placed.head_box(), |point| {
            let photo = placed.to_photo(point);
            let opacity = head_opacity(oval, photo[0], photo[1]);
            (opacity, if opacity > 0.0 { level.sample(photo) } else { [0.0; 3] })
        });
    }

    /// Mixes a colour into every pixel inside the corners; `paint` gives opacity and colour at a pixel's middle.
    fn blend(&mut self, [x0, y0, x1, y1]: [f64; 4], paint: impl Fn([f64; 2]) -> (f64, [f32; 3])) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let columns = x0.max(0.0) as usize..(x1.ceil().max(0.0) as usize).min(width);
        for row in y0.max(0.0) as usize..(y1.ceil().max(0.0) as usize).min(height) {
            for column in columns.clone() {
                let (opacity, color) = paint([column as f64 + 0.5, row as f64 + 0.5]);
                if opacity <= 0.0 {
                    continue;
                }
                let at = 3 * (row * width + column);
                mix(&mut self.rgb[at..at + 3], opacity as f32, color);
            }
        }
    }

    /// As [`Self::blend`], where all rows look like the first: it is computed once.
    fn blend_rows(&mut self, [x0, y0, x1, y1]: [f64; 4], paint: impl Fn([f64; 2]) -> (f64, [f32; 3])) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let columns = x0.max(0.0) as usize..(x1.ceil().max(0.0) as usize).min(width);
        if columns.is_empty() {
            return;
        }
        let row: Vec<(f64, [f32; 3])> =
            columns.clone().map(|column| paint([column as f64 + 0.5, y0 + 0.5])).collect();
        for y in y0.max(0.0) as usize..(y1.ceil().max(0.0) as usize).min(height) {
            let start = 3 * (y * width + columns.start);
            for (pixel, (opacity, color)) in self.rgb[start..].chunks_exact_mut(3).zip(&row) {
                mix(pixel, *opacity as f32, *color);
            }
        }
    }

    /// Replaces every value by the table's.
    pub(crate) fn expose(&mut self, table: &[u8; 256]) {
        for value in self.rgb.iter_mut() {
            *value = table[usize::from(*value)];
        }
    }
}

/// The neck is darker than the cheeks.
const NECK_SHADOW: f64 = 0.8;

fn mix(pixel: &mut [u8], opacity: f32, color: [f32; 3]) {
    for (old, new) in pixel.iter_mut().zip(color) {
        let below = f32::from(*old);
        *old = (below + (new - below) * opacity + 0.5) as u8;
    }
}

/// Film grain: without it the encoder has nothing to do in quiet places, and bit rates mean nothing.
pub(crate) struct Grain {
    tile: Vec<i8>,
}

/// Bytes of the tile: no multiple of any common row length, so that no pattern shows.
const TILE: usize = 65_521;

impl Grain {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = SplitMix::new(seed, 2);
        // The sum of two uniform values: weak grain often, strong grain seldom.
        let tile =
            (0..TILE).map(|_| (dice.between(-2.0, 2.0) + dice.between(-2.0, 2.0)).round() as i8).collect();
        Self { tile }
    }

    /// Adds the grain that belongs to `moment`: the same moment has the same grain.
    pub(crate) fn add(&self, moment: u64, rgb: &mut [u8]) {
        let start = SplitMix::new(moment, 3).below(TILE);
        let (first, others) = rgb.split_at_mut((TILE - start).min(rgb.len()));
        for (piece, grain) in std::iter::once((first, &self.tile[start..]))
            .chain(others.chunks_mut(TILE).map(|piece| (piece, self.tile.as_slice())))
        {
            for (value, grain) in piece.iter_mut().zip(grain) {
                *value = value.saturating_add_signed(*grain);
            }
        }
    }
}
