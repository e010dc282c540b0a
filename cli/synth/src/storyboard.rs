//! From a specification to shots: which scenes follow each other, and with which frames each begins and ends.

use std::ops::Range;

use crate::actor::Actor;
use crate::cast::Cast;
use crate::effects::Effects;
use crate::scene::{Scene, Troupe};
use crate::spec::{ClipSpec, Preset};

/// A shot of the film.
#[derive(Debug, Clone)]
pub(crate) struct Shot {
    pub(crate) scene: Scene,
    /// Frames of the film, from 0.
    pub(crate) frames: Range<u64>,
    pub(crate) length_sec: f64,
    /// The farthest first.
    pub(crate) actors: Vec<Actor>,
    pub(crate) effects: Effects,
}

/// All shots of the film that `spec` describes, played by `cast`, without gaps, from frame 0.
pub(crate) fn shots(spec: &ClipSpec, cast: &Cast) -> Vec<Shot> {
    let fps = spec.fps.to_f64();
    let frame_at = |sec: f64| (sec * fps).round() as u64;
    let mut troupe = Troupe::new(spec.seed, cast);
    let mut scenes = scenes(spec.preset, &mut troupe);
    let total_sec = spec.seconds.unwrap_or_else(|| scenes.iter().map(|(_, sec)| sec).sum());
    let total = frame_at(total_sec).max(1);
    let mut shots = Vec::new();
    let mut begin_sec = 0.0;
    loop {
        for (scene, length_sec) in scenes {
            let frames = frame_at(begin_sec)..frame_at(begin_sec + length_sec).min(total);
            begin_sec += length_sec;
            if frames.is_empty() {
                continue;
            }
            let actors = scene.actors(length_sec, &mut troupe);
            let mut effects = scene.effects(length_sec);
            effects.light *= spec.light;
            let done = frames.end == total;
            shots.push(Shot { scene, frames, length_sec, actors, effects });
            if done {
                return shots;
            }
        }
        troupe.recast();
        scenes = self::scenes(spec.preset, &mut troupe);
    }
}

/// One pass of the preset's storyboard: scenes with their lengths in seconds.
fn scenes(preset: Preset, troupe: &mut Troupe<'_>) -> Vec<(Scene, f64)> {
    match preset {
        Preset::Demo => DEMO.to_vec(),
        Preset::Test => TEST.to_vec(),
        Preset::Hard => HARD.to_vec(),
        Preset::Long => {
            let mut drawn = DEMO.to_vec();
            troupe.dice().shuffle(&mut drawn);
            drawn.iter().map(|(scene, sec)| (*scene, sec * troupe.dice().between(0.6, 2.4))).collect()
        }
    }
}

const DEMO: [(Scene, f64); 15] = [
    (Scene::FadeIn, 4.0),
    (Scene::Dialog, 4.5),
    (Scene::Replaced, 3.0),
    (Scene::Still, 5.0),
    (Scene::Crossing, 5.0),
    (Scene::Group, 4.0),
    (Scene::CloseUp, 4.0),
    (Scene::OutAndBack, 6.0),
    (Scene::Flash, 4.0),
    (Scene::Walk, 3.0),
    (Scene::WalkNearer, 3.0),
    (Scene::Empty, 1.5),
    (Scene::Dark, 4.0),
    (Scene::Dialog, 4.0),
    (Scene::FadeOut, 5.0),
];

const TEST: [(Scene, f64); 9] = [
    (Scene::Dialog, 2.0),
    (Scene::Replaced, 1.25),
    (Scene::Still, 2.5),
    (Scene::Crossing, 2.5),
    (Scene::Flash, 2.0),
    (Scene::CloseUp, 1.5),
    (Scene::FadeOut, 2.0),
    (Scene::FadeIn, 2.0),
    (Scene::Group, 1.25),
];

const HARD: [(Scene, f64); 19] = [
    (Scene::Dialog, 2.0),
    (Scene::Replaced, 1.0),
    (Scene::Darting, 5.0),
    (Scene::Quick, 0.5),
    (Scene::Quick, 0.5),
    (Scene::Quick, 0.5),
    (Scene::Quick, 0.5),
    (Scene::Crossing, 2.5),
    (Scene::Tiny, 3.0),
    (Scene::Dark, 3.0),
    (Scene::CloseUp, 2.0),
    (Scene::OutAndBack, 5.0),
    (Scene::Flash, 2.5),
    (Scene::Darting, 4.0),
    (Scene::FadeOut, 2.5),
    (Scene::FadeIn, 2.5),
    (Scene::Hidden, 5.0),
    (Scene::Handheld, 4.0),
    (Scene::Zoom, 4.0),
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use facereel_domain::time::Rational;

    use super::*;
    use crate::cast::tests::made_up;

    #[test]
    fn shots_follow_each_other_without_gap_up_to_the_length_asked_for() {
        for preset in Preset::ALL {
            let spec = ClipSpec { seconds: Some(100.0), ..ClipSpec::of(preset) };
            let shots = shots(&spec, &made_up(&[1; 9]));
            let mut next = 0;
            for shot in &shots {
                assert_eq!(shot.frames.start, next);
                next = shot.frames.end;
            }
            assert_eq!(next, 2400);
        }
    }

    #[test]
    fn another_frame_rate_shows_the_same_film() {
        let film = |fps| {
            let spec = ClipSpec { fps: Rational::new(fps, 1).unwrap(), ..ClipSpec::of(Preset::Test) };
            let shots = shots(&spec, &made_up(&[1; 9]));
            shots.iter().flat_map(|s| s.actors.iter().map(|a| a.person.photo.clone())).collect::<Vec<_>>()
        };
        assert_eq!(film(24), film(60));
    }

    #[test]
    fn tracks_are_numbered_from_one_without_gap() {
        let shots = shots(&ClipSpec::of(Preset::Demo), &made_up(&[1; 9]));
        let mut tracks: Vec<u32> = shots.iter().flat_map(|s| s.actors.iter().map(|a| a.track)).collect();
        tracks.sort_unstable();
        assert!(tracks.iter().copied().eq(1..=tracks.len() as u32));
    }

    #[test]
    fn everybody_appears_from_all_of_their_photos_in_turns() {
        let cast = made_up(&[3, 2, 4, 1, 3, 2, 3, 3, 3]);
        let shots = shots(&ClipSpec { seconds: Some(600.0), ..ClipSpec::of(Preset::Hard) }, &cast);
        let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for actor in shots.iter().flat_map(|shot| &shot.actors) {
            seen.entry(&actor.person.identity).or_default().push(&actor.person.photo);
        }
        assert_eq!(seen.len(), 9);
        for (person, photos) in seen {
            let first = photos.iter().position(|photo| *photo == photos[0]).unwrap();
            let turn = photos.iter().skip(1).position(|photo| *photo == photos[0]).unwrap() + 1;
            let distinct: BTreeSet<_> = photos[first..turn].iter().collect();
            assert_eq!(distinct.len(), turn, "{person}");
            assert!(photos.iter().zip(&photos[turn..]).all(|(a, b)| a == b), "{person}");
        }
    }

    #[test]
    fn nobody_is_in_a_shot_twice() {
        for people in [9, 10, 30] {
            let cast = made_up(&vec![2; people]);
            for preset in Preset::ALL {
                for shot in shots(&ClipSpec { seconds: Some(300.0), ..ClipSpec::of(preset) }, &cast) {
                    let who: BTreeSet<_> = shot.actors.iter().map(|a| &a.person.identity).collect();
                    assert_eq!(who.len(), shot.actors.len(), "{}", shot.scene.name());
                }
            }
        }
    }
}
