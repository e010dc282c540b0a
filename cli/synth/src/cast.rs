//! The people of a film: which photos show them, and where in each photo the face is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use facereel_domain::geometry::Landmarks;
use facereel_imaging::RgbImage;

use crate::cutout::Cutout;
use crate::error::SynthError;

/// Everybody who may be seen in a film, by the parts of the storyboards.
pub struct Cast {
    /// Who is seen most, from another photo each time.
    pub(crate) lead: Person,
    /// Who plays all other parts; no fewer than [`Cast::FEWEST`] less two.
    pub(crate) ensemble: Vec<Person>,
    /// Who is only seen small.
    pub(crate) extra: Person,
}

/// A person and all photos of them, with the heads cut out.
pub(crate) struct Person {
    pub(crate) photos: Vec<(Arc<FacePhoto>, Cutout)>,
}

/// One face in one photo. Coordinates are pixels of the photo.
#[derive(Debug, PartialEq)]
pub(crate) struct FacePhoto {
    /// Who it is.
    pub(crate) identity: String,
    /// The photo's name in the ground truth; no other photo of the film has it.
    pub(crate) photo: String,
    /// Left, top, width, height of the face.
    pub(crate) face: [f64; 4],
    /// Eyes, nose, mouth corners; the image's left one first.
    pub(crate) landmarks: [[f64; 2]; 5],
    /// Centre x, centre y, half width, half height of what is cut out.
    pub(crate) oval: [f64; 4],
}

impl FacePhoto {
    /// The middle of the face.
    pub(crate) fn face_center(&self) -> [f64; 2] {
        let [x, y, w, h] = self.face;
        [x + w / 2.0, y + h / 2.0]
    }
}

/// A photo of somebody, with the face that a detector found in it.
#[derive(Debug)]
pub struct Portrait {
    /// Who it is: the identity of the ground truth.
    pub person: String,
    /// A name for the photo, that of no other one.
    pub photo: String,
    /// The photo.
    pub picture: RgbImage,
    /// Corners of the face's box in pixels of the photo, `[x0, y0, x1, y1]`.
    pub corners: [f32; 4],
    /// Its five points, likewise.
    pub landmarks: Landmarks,
}

/// What is cut out around a face, in face widths and heights: as far as hair usually goes.
const OVAL: [f64; 2] = [0.78, 0.80];

impl Cast {
    /// The people that a film needs at least, so that nobody is in a shot twice.
    pub const FEWEST: usize = 9;

    /// A cast of the people in `portraits`: the one with most photos plays the lead, the one whose faces are smallest is
    /// seen small only, and every further appearance of anybody shows the next of their photos. Names hold neither commas
    /// nor line breaks, as they go into tables.
    pub fn of(portraits: &[Portrait]) -> Result<Self, SynthError> {
        let mut people: Vec<Person> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut photos = BTreeSet::new();
        for portrait in portraits {
            if !photos.insert(&portrait.photo) {
                return Err(SynthError::Cast(format!("two photos are called '{}'", portrait.photo)));
            }
            for name in [&portrait.person, &portrait.photo] {
                if name.is_empty() || name.contains([',', '"', '\n', '\r']) {
                    return Err(SynthError::Cast(format!("'{name}' has signs that tables don't take")));
                }
            }
            let at = names.iter().position(|name| *name == portrait.person).unwrap_or_else(|| {
                names.push(&portrait.person);
                people.push(Person { photos: Vec::new() });
                people.len() - 1
            });
            people[at].photos.push(portrait.cut_out());
        }
        if people.len() < Self::FEWEST {
            let count = people.len();
            return Err(SynthError::Cast(format!("{count} people are too few, {} are needed", Self::FEWEST)));
        }
        let most = |i: &usize| (people[*i].photos.len(), Reverse(*i));
        let lead = people.swap_remove((0..people.len()).max_by_key(most).unwrap_or(0));
        let smallest = |i: &usize, j: &usize| people[*i].finest().total_cmp(&people[*j].finest());
        let extra = people.swap_remove((0..people.len()).min_by(smallest).unwrap_or(0));
        Ok(Self { lead, ensemble: people, extra })
    }

    /// The heads of all photos, by the photos' names.
    pub(crate) fn into_heads(self) -> BTreeMap<String, Cutout> {
        let people = [self.lead, self.extra].into_iter().chain(self.ensemble);
        people.flat_map(|person| person.photos).map(|(face, head)| (face.photo.clone(), head)).collect()
    }
}

impl Person {
    /// Height of the largest face in pixels.
    fn finest(&self) -> f64 {
        self.photos.iter().map(|(face, _)| face.face[3]).fold(0.0, f64::max)
    }
}

impl Portrait {
    fn cut_out(&self) -> (Arc<FacePhoto>, Cutout) {
        let [x0, y0, x1, y1] = self.corners.map(f64::from);
        let (width, height) = (x1 - x0, y1 - y0);
        let face = FacePhoto {
            identity: self.person.clone(),
            photo: self.photo.clone(),
            face: [x0, y0, width, height],
            landmarks: self.landmarks.0.map(|p| [f64::from(p.x), f64::from(p.y)]),
            oval: [x0 + 0.5 * width, y0 + 0.47 * height, OVAL[0] * width, OVAL[1] * height],
        };
        let head = Cutout::new(&face, &self.picture);
        (Arc::new(face), head)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use facereel_domain::geometry::{Point, Size};

    use super::*;

    fn portrait(person: usize, photo: usize) -> Portrait {
        let size = Size { width: 64, height: 64 };
        let picture = RgbImage::new(size, vec![128; 64 * 64 * 3]).unwrap();
        let corners = [16.0, 8.0, 48.0, 48.0 + person as f32];
        let landmarks = Landmarks(
            [[24.0, 20.0], [40.0, 20.0], [32.0, 28.0], [26.0, 36.0], [38.0, 36.0]]
                .map(|[x, y]| Point { x, y }),
        );
        Portrait {
            person: format!("p{person}"),
            photo: format!("p{person}/{photo}.png"),
            picture,
            corners,
            landmarks,
        }
    }

    fn portraits(photos: &[usize]) -> Vec<Portrait> {
        photos
            .iter()
            .enumerate()
            .flat_map(|(person, count)| (0..*count).map(move |photo| portrait(person, photo)))
            .collect()
    }

    /// A cast without real faces: as many people as `photos` is long, with so many photos each.
    pub(crate) fn made_up(photos: &[usize]) -> Cast {
        Cast::of(&portraits(photos)).unwrap()
    }

    #[test]
    fn who_has_most_photos_leads_and_who_is_smallest_stays_small() {
        let cast = made_up(&[1, 1, 1, 1, 4, 1, 4, 1, 1]);
        assert_eq!(cast.lead.photos.len(), 4);
        assert_eq!(cast.lead.photos[0].0.identity, "p4");
        assert_eq!(cast.extra.photos[0].0.identity, "p0");
        assert_eq!(cast.ensemble.len(), 7);
    }

    #[test]
    fn what_makes_no_cast_is_refused_with_the_reason() {
        let refused = |portraits: &[Portrait]| Cast::of(portraits).err().unwrap().to_string();
        assert!(refused(&portraits(&[3; 8])).contains("8 people are too few, 9 are needed"));
        let mut doubled = portraits(&[1; 9]);
        doubled.push(portrait(0, 0));
        assert!(refused(&doubled).contains("two photos are called 'p0/0.png'"));
        let mut unfit = portraits(&[1; 9]);
        unfit[3].person = "Smith, J.".to_owned();
        assert!(refused(&unfit).contains("'Smith, J.'"));
    }
}
