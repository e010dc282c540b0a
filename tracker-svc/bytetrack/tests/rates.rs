//! Frame rates change nothing: the same people give the same tracks.

mod scene;

use scene::{Actor, actor, stories, times};

fn clip() -> [Actor; 4] {
    [
        Actor::along(|t| (200.0 + 20.0 * (2.0 * t).sin(), 300.0)).seen(&[(0.0, 3.0), (4.5, 12.0)]),
        Actor::along(|t| (100.0 + 140.0 * t, 620.0)).seen(&[(1.0, 8.0)]),
        Actor::along(|t| (1180.0 - 140.0 * t, 640.0)).seen(&[(0.5, 7.5)]),
        Actor { width_px: 40.0, ..Actor::along(|t| (900.0, 200.0 + 10.0 * t)) }
            .seen(&[(0.0, 2.0), (6.0, 12.0)]),
    ]
}

/// Each track as who it is and when it began and ended.
fn summary(times_sec: &[f64]) -> Vec<(usize, f64, f64)> {
    let tracks = stories(&clip(), times_sec, &[9.0]);
    let mut told: Vec<_> = tracks.iter().map(|s| (actor(s), s[0].1, s[s.len() - 1].1)).collect();
    told.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    told
}

/// The same people in the same tracks, begun and ended within one look of each other.
fn assert_same(a: &[(usize, f64, f64)], b: &[(usize, f64, f64)], look_sec: f64) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for (a, b) in a.iter().zip(b) {
        assert!(a.0 == b.0 && (a.1 - b.1).abs() <= look_sec && (a.2 - b.2).abs() <= look_sec, "{a:?} {b:?}");
    }
}

#[test]
fn the_same_clip_at_24_25_30_and_60_frames_a_second_gives_the_same_tracks() {
    let expected = summary(&times(24.0, 1, 12.0));
    assert_eq!(expected.len(), 7, "{expected:?}");
    for fps in [25.0, 30.0, 60.0, 24_000.0 / 1001.0] {
        assert_same(&summary(&times(fps, 1, 12.0)), &expected, 0.05);
    }
}

#[test]
fn looking_four_times_a_second_gives_the_tracks_of_looking_at_every_frame() {
    let expected = summary(&times(24.0, 1, 12.0));
    for (fps, stride) in [(24.0, 6), (25.0, 6), (30.0, 8), (60.0, 15)] {
        assert_same(&summary(&times(fps, stride, 12.0)), &expected, 0.27);
    }
}
