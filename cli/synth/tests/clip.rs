//! Clips keep the crate's promises. Needs the photos: `make media`.

use std::fs;
use std::path::{Path, PathBuf};

use facereel_domain::geometry::Size;
use facereel_synth::{Cast, ClipSpec, Film, Preset, SynthError, compose};

fn media_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("FACEREEL_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("facereel")))
        .or_else(|| Some(set("HOME")?.join(".cache/facereel")))
        .expect("HOME is set")
        .join("media")
}

fn cast() -> Cast {
    Cast::packaged(&media_dir()).unwrap_or_else(|e| panic!("{e}"))
}

fn film(spec: &ClipSpec) -> Film {
    Film::new(spec, cast()).unwrap_or_else(|e| panic!("{e}"))
}

fn test_film() -> Film {
    film(&ClipSpec::of(Preset::Test))
}

fn small(preset: Preset, seconds: f64) -> ClipSpec {
    ClipSpec { seconds: Some(seconds), size: Size { width: 320, height: 180 }, ..ClipSpec::of(preset) }
}

/// Mean difference of two frames, 0 to 255.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

fn read_tree(out: &Path) -> Vec<Vec<u8>> {
    ["gt/gt.txt", "gt_faces.csv", "shots.csv", "identities.csv", "seqinfo.ini", "clip.mp4"]
        .map(|name| fs::read(out.join(name)).expect("a composed clip has all its files"))
        .to_vec()
}

#[test]
fn the_same_seed_gives_the_same_files_byte_by_byte() {
    let spec = small(Preset::Test, 3.0);
    let make = || {
        let out = tempfile::tempdir().unwrap();
        compose(&spec, cast(), out.path(), &mut |_, _| {}).unwrap_or_else(|e| panic!("{e}"));
        read_tree(out.path())
    };
    assert!(make() == make());
}

#[test]
fn another_seed_gives_another_film() {
    let truth = |seed| {
        let film = film(&ClipSpec { seed, ..ClipSpec::of(Preset::Test) });
        film.truth(10)
    };
    assert_ne!(truth(1), truth(2));
}

#[test]
fn every_face_lies_inside_the_frame_and_is_seen_in_the_shot_of_its_track() {
    for preset in [Preset::Test, Preset::Hard, Preset::Demo] {
        let spec = ClipSpec::of(preset);
        let film = film(&spec);
        let mut shot_of_track = std::collections::BTreeMap::new();
        let (w, h) = (spec.size.width as f32, spec.size.height as f32);
        for frame in 0..film.frames() {
            for face in film.truth(frame) {
                let [x0, y0, x1, y1] = face.bbox.xyxy();
                assert!(x0 >= 0.0 && y0 >= 0.0 && x1 <= w && y1 <= h, "{preset} frame {frame}");
                assert!((0.1..=1.0).contains(&face.visibility));
                let shot = film.shot_of(frame);
                assert_eq!(*shot_of_track.entry(face.track).or_insert(shot), shot);
            }
        }
    }
}

#[test]
fn the_picture_changes_at_every_cut_and_nowhere_else() {
    let mut film = test_film();
    let shots = film.shots();
    let flash = shots.iter().find(|s| s.kind == "flash").unwrap().frames.clone();
    let starts: Vec<u64> =
        shots.iter().skip(1).filter(|s| s.transition == "cut").map(|s| s.frames.start).collect();
    let mut before = film.paint(0).to_vec();
    for frame in 1..film.frames() {
        let now = film.paint(frame).to_vec();
        let change = difference(&before, &now);
        if starts.contains(&frame) {
            assert!(change > 15.0, "the cut at frame {frame} changes the picture by {change} only");
        } else if !flash.contains(&frame) {
            assert!(change < 10.0, "the picture changes by {change} at frame {frame}, which is no cut");
        }
        before = now;
    }
}

#[test]
fn people_partly_or_wholly_outside_of_the_frame_can_be_painted() {
    for preset in [Preset::Demo, Preset::Hard, Preset::Long] {
        let mut film = film(&small(preset, 60.0));
        for frame in (0..film.frames()).step_by(12) {
            assert_eq!(film.paint(frame).len(), 320 * 180 * 3);
        }
    }
}

#[test]
fn frames_of_a_static_stretch_are_identical() {
    let mut film = test_film();
    let still = film.shots().into_iter().find_map(|s| s.still_frames).unwrap();
    assert!(still.end - still.start > 30, "{still:?}");
    let first = film.paint(still.start).to_vec();
    for frame in still.clone() {
        assert!(film.paint(frame) == first, "frame {frame}");
        assert_eq!(film.truth(frame), film.truth(still.start));
    }
    assert!(film.paint(still.end) != first);
}

#[test]
fn a_close_up_fills_four_fifths_of_the_height() {
    let film = test_film();
    let shot = film.shots().into_iter().find(|s| s.kind == "close_up").unwrap();
    let face = &film.truth(shot.frames.end - 1)[0];
    let part = face.bbox.height() / 360.0;
    assert!((0.77..=0.81).contains(&part), "{part}");
}

#[test]
fn in_a_crossing_somebody_is_hidden_for_a_while() {
    let film = test_film();
    let crossing = film.shots().into_iter().find(|s| s.kind == "crossing").unwrap().frames;
    let visible: Vec<usize> = crossing.map(|f| film.truth(f).len()).collect();
    assert_eq!(visible.iter().max(), Some(&3));
    assert!(visible.iter().min() < Some(&3));
}

#[test]
fn the_hard_clip_has_faces_that_move_by_their_own_width_between_samples() {
    let film = film(&ClipSpec::of(Preset::Hard));
    let darting = film.shots().into_iter().find(|s| s.kind == "darting").unwrap().frames;
    let fastest = darting.clone().step_by(6).zip(darting.skip(6).step_by(6)).map(|(a, b)| {
        let (a, b) = (film.truth(a), film.truth(b));
        let moved = |i: usize| (b[i].bbox.center().x - a[i].bbox.center().x).abs() / a[i].bbox.width();
        if a.len() == 2 && b.len() == 2 { moved(0).max(moved(1)) } else { 0.0 }
    });
    let fastest = fastest.fold(0.0, f32::max);
    assert!((0.9..=1.4).contains(&fastest), "{fastest} face widths in a quarter of a second");
}

#[test]
fn somebody_is_hidden_for_a_second_and_a_half_and_seen_before_and_after() {
    let film = film(&ClipSpec::of(Preset::Hard));
    let hidden = film.shots().into_iter().find(|s| s.kind == "hidden").unwrap().frames;
    let behind = film.truth(hidden.start)[0].track;
    let seen: Vec<bool> = hidden
        .map(|frame| film.truth(frame).iter().any(|face| face.track == behind && face.visibility >= 0.4))
        .collect();
    let longest = seen.split(|seen| *seen).map(<[bool]>::len).max().unwrap();
    assert!((36..=60).contains(&longest), "{longest} of 120 frames");
    assert!(seen[0] && seen[seen.len() - 1]);
}

#[test]
fn a_camera_in_the_hand_moves_people_and_wall_together() {
    let mut film = film(&small(Preset::Hard, 55.0));
    let frames = film.shots().into_iter().find(|s| s.kind == "handheld").unwrap().frames;
    let standing = film.truth(frames.start)[0].track;
    let mut places: Vec<f32> = frames
        .clone()
        .flat_map(|frame| film.truth(frame))
        .filter(|face| face.track == standing)
        .map(|face| face.bbox.center().y)
        .collect();
    places.sort_by(f32::total_cmp);
    assert!(places[places.len() - 1] - places[0] > 5.0, "{places:?}");
    let (first, later) = (film.paint(frames.start).to_vec(), film.paint(frames.start + 5).to_vec());
    // The upper rows show nobody: what differs there is the wall.
    assert!(difference(&first[..3 * 320 * 8], &later[..3 * 320 * 8]) > 0.0);
}

#[test]
fn missing_photos_are_reported_with_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let error = Cast::packaged(empty.path()).err().unwrap();
    assert!(matches!(error, SynthError::MediaMissing { .. }));
    assert!(error.to_string().contains("make media"));
}

#[test]
fn photos_that_are_not_the_measured_ones_are_refused() {
    let changed = tempfile::tempdir().unwrap();
    for file in fs::read_dir(media_dir()).expect("the photos are there: run `make media`").flatten() {
        fs::write(changed.path().join(file.file_name()), b"something else").unwrap();
    }
    let error = Cast::packaged(changed.path()).err().unwrap();
    assert!(matches!(error, SynthError::MediaChanged { .. }));
}
