//! The nominal frame rate: the rate whose grid numbers every frame once.
//!
//! Containers state rates that are averages (off by a frame in a short clip) or guesses (90,000 for some variable rates).
//! The timestamps themselves decide which candidate is true.

use facereel_domain::time::{Pts, Rational};

/// Rates that are tried beside the stated ones.
const USUAL: [(i64, i64); 14] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (10, 1),
    (12, 1),
    (15, 1),
    (20, 1),
    (48, 1),
    (120, 1),
];
/// Highest rate that is believed, and the highest that is made up for variable rates.
const MAX_FPS: i64 = 240;
/// Where nothing is known (a single frame), frames a second.
const FALLBACK_FPS: i64 = 25;

/// The nominal rate of frames at `pts` (ascending, distinct): the first of `stated` and then the usual ones on whose grid
/// every frame lies; else (variable rate) the lowest that still gives each frame a number of its own, from the mean up.
pub(crate) fn nominal(pts: &[Pts], time_base: Rational, stated: &[Rational]) -> Rational {
    if pts.len() < 2 {
        return stated_or_fallback(stated);
    }
    let usual = USUAL.iter().filter_map(|(num, den)| Rational::new(*num, *den).ok());
    let candidates = stated.iter().copied().filter(|r| r.to_f64() <= MAX_FPS as f64).chain(usual);
    if let Some(rate) = candidates.clone().find(|r| is_grid(pts, time_base, *r)) {
        return rate;
    }
    let mean = mean_rate(pts, time_base);
    let near = candidates.filter(|r| (r.to_f64() / mean - 1.0).abs() < 0.02);
    near.chain((mean.ceil() as i64..=MAX_FPS).map(whole))
        .find(|r| numbers_are_distinct(pts, time_base, *r))
        .unwrap_or_else(|| whole(mean.round() as i64))
}

/// `fps` frames a second.
fn whole(fps: i64) -> Rational {
    Rational::new(fps.clamp(1, MAX_FPS), 1).expect("1/1 to 240/1 are positive")
}

/// The rate where timestamps can't tell: the first stated one that is believed.
pub(crate) fn stated_or_fallback(stated: &[Rational]) -> Rational {
    let believed = stated.iter().copied().find(|r| (1.0..=MAX_FPS as f64).contains(&r.to_f64()));
    believed.unwrap_or_else(|| whole(FALLBACK_FPS))
}

/// Whether every timestamp is that of a frame number at `rate`, rounded to ticks, each number at most once, and at
/// most a third of the numbers unused (else 24 would do for what runs at 12).
fn is_grid(pts: &[Pts], time_base: Rational, rate: Rational) -> bool {
    let frames_a_tick = time_base.to_f64() * rate.to_f64();
    let (Some(first), Some(last)) = (pts.first(), pts.last()) else { return false };
    let position = |p: Pts| (p.0 - first.0) as f64 * frames_a_tick;
    let spread = position(*last);
    // The first timestamp is rounded too: two half ticks, and a little for an inexact one.
    let tolerance = (1.05 * frames_a_tick).min(0.45);
    pts.len() > 1
        && spread < 1.5 * (pts.len() - 1) as f64
        && pts.iter().all(|p| (position(*p) - position(*p).round()).abs() <= tolerance)
        && numbers_are_distinct(pts, time_base, rate)
}

fn numbers_are_distinct(pts: &[Pts], time_base: Rational, rate: Rational) -> bool {
    let frames_a_tick = time_base.to_f64() * rate.to_f64();
    let Some(first) = pts.first() else { return false };
    let number = |p: Pts| ((p.0 - first.0) as f64 * frames_a_tick).round();
    pts.windows(2).all(|w| number(w[0]) < number(w[1]))
}

fn mean_rate(pts: &[Pts], time_base: Rational) -> f64 {
    match pts {
        [first, .., last] if last > first => {
            let seconds = (last.0 - first.0) as f64 * time_base.to_f64();
            ((pts.len() - 1) as f64 / seconds).clamp(1.0, MAX_FPS as f64)
        }
        _ => FALLBACK_FPS as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rational(num: i64, den: i64) -> Rational {
        Rational::new(num, den).unwrap()
    }

    fn grid(numbers: impl Iterator<Item = i64>, rate: Rational, time_base: Rational) -> Vec<Pts> {
        numbers.map(|n| Pts((n as f64 / rate.to_f64() / time_base.to_f64()).round() as i64)).collect()
    }

    #[test]
    fn constant_rates_are_found_through_millisecond_rounding() {
        for (num, den) in USUAL {
            let rate = rational(num, den);
            let pts = grid(0..2000, rate, rational(1, 1000));
            assert_eq!(nominal(&pts, rational(1, 1000), &[]), rate);
        }
    }

    #[test]
    fn a_stated_average_that_is_off_loses_to_the_true_rate() {
        let time_base = rational(1, 24_000);
        let pts = grid(0..500, rational(24_000, 1001), time_base);
        assert_eq!(nominal(&pts, time_base, &[rational(24, 1)]), rational(24_000, 1001));
    }

    #[test]
    fn dropped_frames_leave_the_rate_alone() {
        let time_base = rational(1, 90_000);
        let pts = grid((0..900).filter(|n| n % 7 != 3 && n % 50 != 1), rational(30, 1), time_base);
        assert_eq!(nominal(&pts, time_base, &[]), rational(30, 1));
    }

    #[test]
    fn variable_rates_get_a_rate_that_tells_frames_apart() {
        let time_base = rational(1, 1000);
        let pts: Vec<Pts> = (0..300_i64).map(|n| Pts(n * 33 + n * n % 17)).collect();
        let rate = nominal(&pts, time_base, &[rational(90_000, 1)]);
        assert!(numbers_are_distinct(&pts, time_base, rate));
        assert!(rate.to_f64() <= MAX_FPS as f64);
    }

    #[test]
    fn single_frames_have_a_rate_too() {
        assert!(nominal(&[Pts(7)], rational(1, 1000), &[]).to_f64() > 0.0);
        assert!(nominal(&[], rational(1, 1000), &[]).to_f64() > 0.0);
    }
}
