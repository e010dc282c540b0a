//! Alignment against numbers from an independent implementation (numpy's singular value decomposition for the transform,
//! OpenCV 5.0 for the pixels, which rounds places to 1/32 pixel).

use super::*;
use rstest::rstest;

/// Red grows to the right, green downwards, blue is a checkerboard of 8-pixel fields.
fn chart(width: u32, height: u32) -> RgbImage {
    let pixel = |x: u32, y: u32| {
        let field = (x / 8 + y / 8) % 2 * 255;
        [(x * 255 / (width - 1)) as u8, (y * 255 / (height - 1)) as u8, field as u8]
    };
    let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    RgbImage::new(Size { width, height }, data).unwrap()
}

fn landmarks(points: [[f32; 2]; 5]) -> Landmarks {
    Landmarks(points.map(Point::from))
}

const NEAR_SIZE: [[f32; 2]; 5] = [[70.25, 60.5], [105.5, 52.75], [92.0, 75.25], [80.5, 98.0], [108.75, 92.5]];
const LARGE: [[f32; 2]; 5] =
    [[238.775, 195.05], [348.05, 171.025], [306.2, 240.775], [270.55, 311.3], [358.125, 294.25]];
const UPSIDE_DOWN: [[f32; 2]; 5] = [[60.0, 40.0], [30.0, 44.0], [46.0, 28.0], [58.0, 8.0], [36.0, 10.0]];

#[rstest]
#[case::near_size(NEAR_SIZE, [1.001_465_51, 0.183_134_95, -21.626_158_84, -20.748_838_63])]
#[case::large(LARGE, [0.323_053_39, 0.059_075_80, -27.967_209_86, -24.412_331_03])]
#[case::upside_down(UPSIDE_DOWN, [-1.218_160_98, -0.003_394_80, 111.973_299_90, 103.729_127_29])]
fn the_transform_is_that_of_the_reference(#[case] points: [[f32; 2]; 5], #[case] expected: [f64; 4]) {
    let found = similarity(&landmarks(points), &TEMPLATE).unwrap();
    for (found, expected) in [found.a, found.b, found.tx, found.ty].into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
    }
}

/// Places of the aligned face and the reference's colours there.
type Colours = [((usize, usize), [u8; 3]); 6];

#[rstest]
#[case::plain((200, 160), NEAR_SIZE, [
    ((0, 0), [31, 25, 255]), ((56, 56), [113, 96, 0]), ((111, 0), [0, 0, 0]),
    ((0, 111), [56, 197, 0]), ((20, 90), [76, 159, 255]), ((111, 111), [193, 166, 141]),
])]
#[case::reduced_first((600, 480), LARGE, [
    ((0, 0), [41, 30, 244]), ((56, 56), [125, 103, 116]), ((111, 0), [0, 0, 0]),
    ((0, 111), [67, 208, 164]), ((20, 90), [87, 168, 81]), ((100, 60), [183, 97, 156]),
])]
fn the_pixels_are_those_of_the_reference(
    #[case] size: (u32, u32),
    #[case] points: [[f32; 2]; 5],
    #[case] expected: Colours,
) {
    let aligned = align_face(&chart(size.0, size.1), &landmarks(points)).unwrap();
    for ((x, y), expected) in expected {
        let offset = (y * ALIGNED_SIDE as usize + x) * 3;
        let found = &aligned.image().data()[offset..offset + 3];
        // Checkerboard edges are steep: 1/32 pixel is up to 8 levels of blue.
        for (channel, tolerance) in [(0, 1), (1, 1), (2, 9)] {
            let off = found[channel].abs_diff(expected[channel]);
            assert!(off <= tolerance, "({x}, {y}): {found:?}, not {expected:?}");
        }
    }
}

#[test]
fn landmarks_land_on_the_template_and_the_inverse_leads_back() {
    let there = similarity(&landmarks(NEAR_SIZE), &TEMPLATE).unwrap();
    let back = there.inverse();
    for point in landmarks(NEAR_SIZE).0 {
        let again = back.apply(there.apply(point));
        assert!((again.x - point.x).abs() < 1e-3 && (again.y - point.y).abs() < 1e-3);
    }
    assert!((there.scale() * back.scale() - 1.0).abs() < 1e-9);
}

#[test]
fn noise_of_a_large_face_is_averaged_not_sampled() {
    // The finaliser of MurmurHash3: neighbours get unrelated values.
    let noise = |i: u32| {
        let i = (i ^ i >> 16).wrapping_mul(0x85eb_ca6b);
        let i = (i ^ i >> 13).wrapping_mul(0xc2b2_ae35);
        (i ^ i >> 16) >> 24
    };
    let data = (0..600 * 480).flat_map(|i| [(64 + noise(i) / 2) as u8; 3]).collect();
    let image = RgbImage::new(Size { width: 600, height: 480 }, data).unwrap();
    let middle = Landmarks(TEMPLATE).mapped(40.0, 20.0, 3.0);
    let aligned = align_face(&image, &middle).unwrap();
    let spread = |values: &[u8]| {
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
        (values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    assert!(spread(aligned.image().data()) < spread(image.data()) / 2.0);
}

#[test]
fn landmarks_without_extent_align_nothing() {
    let image = chart(64, 64);
    assert!(align_face(&image, &landmarks([[5.0, 5.0]; 5])).is_none());
    assert!(align_face(&image, &landmarks([[f32::NAN, 1.0]; 5])).is_none());
}

#[test]
fn a_face_outside_of_the_image_is_black() {
    let far = Landmarks(TEMPLATE).mapped(9000.0, 9000.0, 1.0);
    let aligned = align_face(&chart(64, 64), &far).unwrap();
    assert!(aligned.image().data().iter().all(|v| *v == 0));
}
