//! People who walk, cross, hide and leave: one track each, and nobody in another's.

mod scene;

use rstest::rstest;
use scene::{Actor, Story, actor, stories, times};

/// Who is in each track.
fn cast(stories: &[Story]) -> Vec<usize> {
    stories.iter().map(actor).collect()
}

#[test]
fn a_face_that_moves_by_its_own_width_between_looks_is_one_track() {
    let runner = Actor::along(|t| (100.0 + 400.0 * t, 300.0));
    let tracks = stories(&[runner], &times(24.0, 6, 4.0), &[]);
    assert_eq!(cast(&tracks), [0]);
    assert_eq!(tracks[0].len(), 16, "every look belongs to the track, the first too");
}

#[test]
fn a_face_that_starts_to_run_after_standing_is_one_track() {
    let starter = Actor::along(|t| (200.0 + 400.0 * (t - 2.0).max(0.0), 300.0));
    assert_eq!(cast(&stories(&[starter], &times(24.0, 6, 4.0), &[])), [0]);
}

#[rstest]
#[case::every_frame(1)]
#[case::four_a_second(6)]
fn a_face_hidden_for_one_and_a_half_seconds_keeps_its_track(#[case] stride: usize) {
    let still = Actor::along(|_| (200.0, 300.0)).seen(&[(0.0, 2.0), (3.5, 6.0)]);
    let walker = Actor::along(|t| (600.0 + 60.0 * t, 300.0)).seen(&[(0.0, 3.0), (4.5, 6.0)]);
    assert_eq!(cast(&stories(&[still, walker], &times(24.0, stride, 6.0), &[])), [0, 1]);
}

#[test]
fn a_face_away_for_longer_than_the_gap_comes_back_as_a_new_track() {
    let away = Actor::along(|_| (200.0, 300.0)).seen(&[(0.0, 2.0), (4.5, 6.0)]);
    assert_eq!(cast(&stories(&[away], &times(24.0, 6, 6.0), &[])), [0, 0]);
}

#[rstest]
#[case::every_frame(1)]
#[case::four_a_second(6)]
fn people_who_cross_keep_their_tracks(#[case] stride: usize) {
    let right = Actor::along(|t| (100.0 + 150.0 * t, 300.0));
    let left = Actor::along(|t| (1000.0 - 150.0 * t, 315.0));
    assert_eq!(cast(&stories(&[right, left], &times(24.0, stride, 6.0), &[])), [0, 1]);
}

#[rstest]
#[case::every_frame(1)]
#[case::four_a_second(6)]
fn people_who_hide_each_other_while_crossing_keep_their_tracks(#[case] stride: usize) {
    let front = Actor::along(|t| (100.0 + 150.0 * t, 300.0));
    // Behind the other while the boxes overlap by more than half.
    let behind = Actor::along(|t| (1000.0 - 150.0 * t, 310.0)).seen(&[(0.0, 2.8), (3.2, 6.0)]);
    assert_eq!(cast(&stories(&[front, behind], &times(24.0, stride, 6.0), &[])), [0, 1]);
}

#[test]
fn one_who_leaves_and_one_who_enters_elsewhere_are_two_tracks() {
    let leaves = Actor::along(|t| (1100.0 + 100.0 * t, 300.0)).seen(&[(0.0, 2.0)]);
    let enters = Actor::along(|t| (300.0 + 100.0 * t, 300.0)).seen(&[(2.0, 4.0)]);
    assert_eq!(cast(&stories(&[leaves, enters], &times(24.0, 6, 4.0), &[])), [0, 1]);
}

#[test]
fn a_face_of_another_size_in_reach_is_another_person() {
    let near = Actor { width_px: 300.0, ..Actor::along(|_| (500.0, 300.0)) }.seen(&[(0.0, 2.0)]);
    let far = Actor { width_px: 60.0, ..Actor::along(|_| (760.0, 300.0)) }.seen(&[(2.0, 4.0)]);
    assert_eq!(cast(&stories(&[near, far], &times(24.0, 6, 4.0), &[])), [0, 1]);
}

#[test]
fn people_who_swap_places_across_a_cut_are_four_tracks() {
    let a = Actor::along(|t| (if t < 2.0 { 200.0 } else { 600.0 }, 300.0));
    let b = Actor::along(|t| (if t < 2.0 { 600.0 } else { 200.0 }, 300.0));
    let tracks = stories(&[a, b], &times(24.0, 6, 4.0), &[2.0]);
    assert_eq!(cast(&tracks), [0, 1, 1, 0]);
}

#[test]
fn a_close_call_starts_new_tracks_rather_than_swapping() {
    // Two stand apart, both vanish for a look, and return halfway between their places.
    let a = Actor::along(|t| (if t < 2.0 { 300.0 } else { 430.0 }, 300.0)).seen(&[(0.0, 2.0), (2.25, 4.0)]);
    let b = Actor::along(|t| (if t < 2.0 { 560.0 } else { 430.0 }, if t < 2.0 { 300.0 } else { 425.0 }))
        .seen(&[(0.0, 2.0), (2.25, 4.0)]);
    assert_eq!(cast(&stories(&[a, b], &times(24.0, 6, 4.0), &[])), [0, 1, 0, 1]);
}
