//! The scenes a storyboard is put together from: who is where, and what happens to the light.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actor::{Actor, Facing};
use crate::camera::Shake;
use crate::cast::{Cast, FacePhoto, Person};
use crate::effects::Effects;
use crate::path::{Key, Path, Sway};
use crate::random::SplitMix;

/// One kind of shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Two people talk.
    Dialog,
    /// Another person stands exactly where the left one of a dialog stood.
    Replaced,
    /// Two people; for two thirds of the shot nothing moves.
    Still,
    /// Two people walk past each other, the nearer hides the farther; a third stands behind.
    Crossing,
    /// Six people in a row, small.
    Group,
    /// A face that grows to four fifths of the frame's height.
    CloseUp,
    /// One stands, the other walks out of the frame and comes back.
    OutAndBack,
    /// A dialog in which a camera flash goes off.
    Flash,
    /// Somebody walks.
    Walk,
    /// The walk goes on, seen from nearer.
    WalkNearer,
    /// Nobody.
    Empty,
    /// Two people in the dark.
    Dark,
    /// Three people, then black.
    FadeOut,
    /// Out of black: two people.
    FadeIn,
    /// Two faces that move by their own width in a quarter of a second.
    Darting,
    /// One person, always in the same place: in quick succession only the face changes.
    Quick,
    /// Eight people far away.
    Tiny,
    /// Somebody steps in front of another, stays there for a second and a half, and walks on.
    Hidden,
    /// Two people, one of them walking, filmed from the hand.
    Handheld,
    /// A face that comes near in a second, from a small one to a large one, and goes again.
    Zoom,
}

impl Scene {
    /// The name in shots.csv.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Replaced => "replaced",
            Self::Still => "still",
            Self::Crossing => "crossing",
            Self::Group => "group",
            Self::CloseUp => "close_up",
            Self::OutAndBack => "out_and_back",
            Self::Flash => "flash",
            Self::Walk => "walk",
            Self::WalkNearer => "walk_nearer",
            Self::Empty => "empty",
            Self::Dark => "dark",
            Self::FadeOut => "fade_out",
            Self::FadeIn => "fade_in",
            Self::Darting => "darting",
            Self::Quick => "quick",
            Self::Tiny => "tiny",
            Self::Hidden => "hidden",
            Self::Handheld => "handheld",
            Self::Zoom => "zoom",
        }
    }

    /// Light and time of a shot of `length_sec`.
    pub(crate) fn effects(self, length_sec: f64) -> Effects {
        let none = Effects::NONE;
        match self {
            Self::Still => Effects { still_sec: Some([0.15 * length_sec, 0.85 * length_sec]), ..none },
            Self::Flash => Effects { flash_at_sec: Some(0.45 * length_sec), ..none },
            Self::Dark => Effects { light: 0.28, ..none },
            Self::FadeOut => Effects { fade_out_sec: (0.5 * length_sec).min(1.2), ..none },
            Self::FadeIn => Effects { fade_in_sec: (0.5 * length_sec).min(1.0), ..none },
            Self::Handheld => Effects { shake: Shake(0.03), ..none },
            _ => none,
        }
    }

    /// The actors of a shot of `length_sec`, the farthest first.
    pub(crate) fn actors(self, length_sec: f64, troupe: &mut Troupe<'_>) -> Vec<Actor> {
        let end = length_sec;
        let line = |from: [f64; 3], to: [f64; 3]| vec![key(0.0, from), key(end, to)];
        match self {
            Self::Dialog | Self::Flash => vec![
                troupe.stands(Part::Lead, [0.30, 0.40, 0.25]),
                troupe.stands(Part::Ensemble(0), [0.70, 0.42, 0.24]),
            ],
            Self::Replaced => vec![troupe.stands(Part::Ensemble(1), [0.30, 0.40, 0.25])],
            Self::Still => vec![
                troupe.stands(Part::Ensemble(2), [0.34, 0.40, 0.23]),
                troupe.stands(Part::Lead, [0.66, 0.38, 0.24]),
            ],
            Self::Crossing => vec![
                troupe.stands(Part::Extra, [0.50, 0.30, 0.13]),
                troupe.plays(Part::Ensemble(3), line([0.82, 0.40, 0.20], [0.16, 0.40, 0.20])),
                troupe.plays(Part::Ensemble(4), line([0.14, 0.44, 0.27], [0.84, 0.44, 0.27])),
            ],
            Self::Group => troupe.row(6, [0.10, 0.90], [0.14, 0.18]),
            Self::CloseUp => {
                vec![troupe.plays(Part::Ensemble(5), line([0.50, 0.46, 0.45], [0.50, 0.50, 0.80]))]
            }
            Self::OutAndBack => {
                let (seen, away) = ([0.70, 0.42, 0.24], [1.20, 0.42, 0.24]);
                let moments = [(0.0, seen), (0.2, seen), (0.45, away), (0.6, away), (0.85, seen)];
                let keys = moments.map(|(part, place)| key(part * end, place)).to_vec();
                vec![troupe.stands(Part::Lead, [0.28, 0.40, 0.24]), troupe.plays(Part::Ensemble(6), keys)]
            }
            Self::Walk => vec![troupe.plays(Part::Ensemble(6), line([0.12, 0.40, 0.17], [0.62, 0.40, 0.19]))],
            Self::WalkNearer => {
                vec![troupe.plays(Part::Ensemble(6), line([0.30, 0.42, 0.27], [0.80, 0.44, 0.32]))]
            }
            Self::Empty => Vec::new(),
            Self::Dark => vec![
                troupe.stands(Part::Ensemble(1), [0.32, 0.40, 0.24]),
                troupe.stands(Part::Ensemble(4), [0.68, 0.42, 0.25]),
            ],
            Self::FadeOut => vec![
                troupe.stands(Part::Ensemble(2), [0.20, 0.38, 0.20]),
                troupe.stands(Part::Lead, [0.50, 0.40, 0.22]),
                troupe.stands(Part::Ensemble(3), [0.80, 0.38, 0.20]),
            ],
            Self::FadeIn => vec![
                troupe.stands(Part::Ensemble(0), [0.36, 0.40, 0.24]),
                troupe.stands(Part::Ensemble(5), [0.66, 0.42, 0.23]),
            ],
            Self::Darting => vec![
                troupe.plays(Part::Ensemble(0), dart(end, [0.12, 0.88], [0.30, 0.15])),
                troupe.plays(Part::Ensemble(1), dart(end, [0.86, 0.14], [0.66, 0.16])),
            ],
            Self::Quick => vec![troupe.stands(Part::Anybody, [0.50, 0.42, 0.26])],
            Self::Tiny => troupe.row(8, [0.08, 0.92], [0.045, 0.07]),
            Self::Hidden => {
                let (come, stay, go) = (0.3 * end, 0.5 * end - 0.75, 0.5 * end + 0.75);
                let [outside, before, beyond] = [[-0.1, 0.43, 0.30], [0.50, 0.43, 0.30], [1.1, 0.43, 0.30]];
                let moments =
                    [(0.0, outside), (come.min(stay), outside), (stay, before), (go, before), (end, beyond)];
                let keys = moments.map(|(at, place)| key(at, place)).to_vec();
                vec![
                    troupe.stands(Part::Ensemble(2), [0.50, 0.41, 0.18]),
                    troupe.stands(Part::Ensemble(5), [0.84, 0.40, 0.20]),
                    troupe.plays(Part::Ensemble(3), keys),
                ]
            }
            Self::Handheld => vec![
                troupe.stands(Part::Ensemble(4), [0.66, 0.40, 0.24]),
                troupe.plays(Part::Ensemble(0), line([0.20, 0.42, 0.18], [0.46, 0.42, 0.26])),
            ],
            Self::Zoom => {
                let (far, near) = ([0.44, 0.36, 0.10], [0.56, 0.46, 0.48]);
                let moments = [(0.0, far), (0.25, far), (0.5, near), (0.75, near), (1.0, far)];
                let keys = moments.map(|(part, place)| key(part * end, place)).to_vec();
                vec![troupe.plays(Part::Ensemble(1), keys)]
            }
        }
    }
}

/// Who plays.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// The person with most photos.
    Lead,
    /// One of the ensemble by the storyboard's order of the day.
    Ensemble(usize),
    /// Anybody of the ensemble but the one before.
    Anybody,
    /// The one whose photo is too small for any other part.
    Extra,
}

/// The people of a film, the dice, and the count of tracks.
pub(crate) struct Troupe<'a> {
    cast: &'a Cast,
    dice: SplitMix,
    /// Who of the ensemble has which role.
    order: Vec<usize>,
    /// How often each identity was seen so far.
    appearances: BTreeMap<&'a str, usize>,
    tracks: u32,
}

impl<'a> Troupe<'a> {
    pub(crate) fn new(seed: u64, cast: &'a Cast) -> Self {
        let mut troupe = Self {
            cast,
            dice: SplitMix::new(seed, 1),
            order: (0..cast.ensemble.len()).collect(),
            appearances: BTreeMap::new(),
            tracks: 0,
        };
        troupe.recast();
        troupe
    }

    /// Deals the parts anew.
    pub(crate) fn recast(&mut self) {
        self.dice.shuffle(&mut self.order);
    }

    /// The dice that decide about this film.
    pub(crate) fn dice(&mut self) -> &mut SplitMix {
        &mut self.dice
    }

    fn stands(&mut self, part: Part, place: [f64; 3]) -> Actor {
        self.plays(part, vec![key(0.0, place)])
    }

    fn plays(&mut self, part: Part, keys: Vec<Key>) -> Actor {
        let person = match part {
            Part::Lead => &self.cast.lead,
            Part::Ensemble(role) => &self.cast.ensemble[self.order[role % self.order.len()]],
            Part::Anybody => {
                self.order.rotate_left(1);
                &self.cast.ensemble[self.order[0]]
            }
            Part::Extra => &self.cast.extra,
        };
        let person = self.next_photo(person);
        self.tracks += 1;
        let dice = &mut self.dice;
        let sway = Sway {
            reach: dice.between(0.05, 0.12),
            period_sec: dice.between(2.2, 4.0),
            phase: dice.between(0.0, 1.0),
            tilt: dice.between(0.01, 0.04),
        };
        let shade = dice.between(50.0, 150.0);
        let clothes = std::array::from_fn(|_| (shade + dice.between(-32.0, 32.0)) as u8);
        let facing = if dice.below(2) == 0 { Facing::AsPhotographed } else { Facing::Mirrored };
        Actor { track: self.tracks, person, facing, path: Path { keys, sway }, clothes }
    }

    /// Another photo at each appearance, in turns.
    fn next_photo(&mut self, person: &'a Person) -> Arc<FacePhoto> {
        let appearances = self.appearances.entry(&person.photos[0].0.identity).or_default();
        let (face, _) = &person.photos[*appearances % person.photos.len()];
        *appearances += 1;
        Arc::clone(face)
    }

    /// `count` people side by side between two fractions of the width, faces between two heights.
    fn row(&mut self, count: usize, [left, right]: [f64; 2], [small, large]: [f64; 2]) -> Vec<Actor> {
        (0..count)
            .map(|i| {
                let x = left + (right - left) * i as f64 / (count - 1) as f64;
                let part = if i == self.order.len() { Part::Lead } else { Part::Ensemble(i) };
                let y = self.dice.between(0.34, 0.46);
                let height = self.dice.between(small, large);
                self.stands(part, [x, y, height])
            })
            .collect()
    }
}

fn key(at_sec: f64, [x, y, height]: [f64; 3]) -> Key {
    Key { at_sec, x, y, height }
}

/// Back and forth between two places at one face width in a quarter of a second (in 16:9).
fn dart(end: f64, [from, to]: [f64; 2], [y, height]: [f64; 2]) -> Vec<Key> {
    let width = height * 0.78 * 9.0 / 16.0;
    let leg_sec = (to - from).abs() / (width / 0.25);
    let legs = (end / leg_sec).ceil() as usize + 1;
    (0..=legs).map(|i| key(i as f64 * leg_sec, [if i % 2 == 0 { from } else { to }, y, height])).collect()
}
