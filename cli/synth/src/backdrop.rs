//! What people stand in front of: a painted wall with soft panels, lamps and grain; another one for every shot.

use facereel_domain::geometry::Size;

use crate::random::SplitMix;

/// Wall colours; neighbours in the list differ in hue and brightness, so that every cut is seen.
const WALLS: [[f32; 3]; 8] = [
    [62.0, 84.0, 110.0],
    [168.0, 148.0, 120.0],
    [70.0, 98.0, 72.0],
    [186.0, 178.0, 172.0],
    [112.0, 68.0, 62.0],
    [136.0, 160.0, 176.0],
    [58.0, 54.0, 70.0],
    [176.0, 160.0, 88.0],
];

/// The background of shot number `shot`, RGB.
pub(crate) fn paint(size: Size, seed: u64, shot: usize) -> Vec<u8> {
    let mut dice = SplitMix::new(seed, 1_000 + shot as u64);
    let wall = WALLS[(shot + seed as usize % WALLS.len()) % WALLS.len()];
    let shapes: Vec<Shape> = (0..7).map(|_| Shape::random(&mut dice)).collect();
    let noise_seed = dice.next_u64() as u32;
    let horizon = dice.between(0.66, 0.8) as f32;
    let (width, height) = (size.width as usize, size.height as usize);
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in 0..height {
        let v = row as f32 / height as f32;
        for column in 0..width {
            let u = column as f32 / height as f32;
            let mut light = 1.12 - 0.35 * v + 0.16 * (texture(noise_seed, u, v) - 0.5);
            if v > horizon {
                light *= 0.72;
            }
            let tint: [f32; 3] = shapes.iter().fold([0.0; 3], |sum, shape| {
                let strength = shape.strength(u, v);
                [0, 1, 2].map(|c| sum[c] + strength * shape.color[c])
            });
            rgb.extend([0, 1, 2].map(|c| ((wall[c] + tint[c]) * light).clamp(0.0, 255.0) as u8));
        }
    }
    rgb
}

/// A soft-edged panel: adds a colour inside a rectangle. Rectangles only: nothing that could pass for a head.
struct Shape {
    center: [f32; 2],
    half: [f32; 2],
    softness: f32,
    color: [f32; 3],
}

impl Shape {
    fn random(dice: &mut SplitMix) -> Self {
        let mut between = |low, high| dice.between(low, high) as f32;
        let light = between(-26.0, 26.0);
        Self {
            center: [between(0.0, 1.78), between(0.0, 0.8)],
            half: [between(0.06, 0.3), between(0.08, 0.4)],
            softness: between(0.004, 0.05),
            color: std::array::from_fn(|_| light + between(-9.0, 9.0)),
        }
    }

    fn strength(&self, u: f32, v: f32) -> f32 {
        let outside =
            ((u - self.center[0]).abs() - self.half[0]).max((v - self.center[1]).abs() - self.half[1]);
        (0.5 - outside / self.softness).clamp(0.0, 1.0)
    }
}

/// Smooth noise in three octaves, 0 to 1.
fn texture(seed: u32, u: f32, v: f32) -> f32 {
    [(6.0, 0.5), (23.0, 0.3), (90.0, 0.2)]
        .iter()
        .map(|(scale, part)| part * noise(seed, u * scale, v * scale))
        .sum()
}

fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (a, b) = (smooth(x - left), smooth(y - top));
    let at = |dx: u32, dy: u32| lattice(seed, (left as u32).wrapping_add(dx), (top as u32).wrapping_add(dy));
    let upper = at(0, 0) + (at(1, 0) - at(0, 0)) * a;
    let lower = at(0, 1) + (at(1, 1) - at(0, 1)) * a;
    upper + (lower - upper) * b
}

/// A fixed random value for each lattice point, 0 to 1.
fn lattice(seed: u32, x: u32, y: u32) -> f32 {
    let mut h = seed ^ x.wrapping_mul(0x27d4_eb2d) ^ y.wrapping_mul(0x1656_67b1);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) >> 8) as f32 / (1 << 24) as f32
}
