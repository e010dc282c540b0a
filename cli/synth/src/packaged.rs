//! The people of the photos that come in Python packages, and where in each photo the face is.
//!
//! Boxes are the mean of two detectors' (`YuNet`, `CenterFace`), landmarks are `YuNet`'s: "the box" of the ground truth is
//! what detectors call a face's box, a few per cent either way. The oval around it is what gets cut out: the head
//! with its hair, and as little else as possible.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use facereel_imaging::RgbImage;

use crate::cast::{Cast, FacePhoto, Person};
use crate::cutout::Cutout;
use crate::error::SynthError;
use crate::photo;

/// Where a picture comes from inside the media folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A PNG or JPEG file.
    Still(MediaFile),
    /// A frame of a video, counted from 0.
    VideoFrame(MediaFile, u32),
}

/// A file of the media folder, by name and SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MediaFile {
    pub(crate) name: &'static str,
    pub(crate) sha256: &'static str,
}

/// A face that was measured once and for all. Fields as those of [`FacePhoto`].
struct Measured {
    identity: &'static str,
    photo: &'static str,
    source: Source,
    face: [f64; 4],
    landmarks: [[f64; 2]; 5],
    oval: [f64; 4],
}

impl Cast {
    /// The people of the photos in `media_dir`, which `make media` fills: one of them in five poses, eight in one each.
    pub fn packaged(media_dir: &Path) -> Result<Self, SynthError> {
        let all = CALLER.iter().chain(&GROUP).chain([&ASTRONAUT, &PORTRAIT]);
        let photos = photo::load(&all.map(|m| m.source).collect(), media_dir)?;
        // The man in the car is seen in several poses: he plays the lead.
        let lead = person(&CALLER, &photos);
        // Everybody whose photo is large enough for any part.
        let ensemble = GROUP.iter().chain([&ASTRONAUT]).map(|one| person(std::slice::from_ref(one), &photos));
        // A small black-and-white portrait: only for small parts.
        let extra = person(&[PORTRAIT], &photos);
        Ok(Self { lead, ensemble: ensemble.collect(), extra })
    }
}

fn person(faces: &[Measured], photos: &BTreeMap<Source, RgbImage>) -> Person {
    let cut = |one: &Measured| {
        let face = FacePhoto {
            identity: one.identity.to_owned(),
            photo: one.photo.to_owned(),
            face: one.face,
            landmarks: one.landmarks,
            oval: one.oval,
        };
        let head = Cutout::new(&face, photos.get(&one.source)?);
        Some((Arc::new(face), head))
    };
    Person { photos: faces.iter().filter_map(cut).collect() }
}

const GROUP_PHOTO: Source = Source::Still(MediaFile {
    name: "t1.jpg",
    sha256: "47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489",
});

const CAR_VIDEO: MediaFile = MediaFile {
    name: "carphone_pristine.mp4",
    sha256: "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
};

const ASTRONAUT: Measured = Measured {
    identity: "astronaut",
    photo: "astronaut",
    source: Source::Still(MediaFile {
        name: "astronaut.png",
        sha256: "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    }),
    face: [180.1, 60.4, 90.2, 118.3],
    landmarks: [[201.3, 105.6], [245.3, 106.1], [221.1, 127.9], [202.8, 143.7], [241.5, 144.4]],
    oval: [225.0, 104.0, 84.0, 100.0],
};

const PORTRAIT: Measured = Measured {
    identity: "portrait",
    photo: "portrait",
    source: Source::Still(MediaFile {
        name: "Tom_Hanks_54745.png",
        sha256: "8545da294e8c7c79911169c3915fed8528f1960cd0ed99b92453788ca4275083",
    }),
    face: [5.1, 1.9, 80.2, 110.8],
    landmarks: [[37.7, 50.5], [71.5, 50.7], [62.8, 72.8], [40.7, 90.5], [66.8, 90.7]],
    oval: [46.0, 55.0, 50.0, 60.0],
};

const GROUP: [Measured; 6] = [
    Measured {
        identity: "player_1",
        photo: "group_1",
        source: GROUP_PHOTO,
        face: [57.0, 267.0, 110.3, 127.9],
        landmarks: [[86.8, 318.5], [133.4, 314.8], [118.9, 340.9], [102.2, 365.1], [143.6, 361.9]],
        oval: [108.0, 322.0, 84.0, 100.0],
    },
    Measured {
        identity: "player_2",
        photo: "group_2",
        source: GROUP_PHOTO,
        face: [272.0, 151.8, 97.3, 118.9],
        landmarks: [[293.0, 199.9], [331.1, 198.5], [310.5, 223.3], [301.9, 241.9], [330.6, 242.7]],
        oval: [328.0, 200.0, 76.0, 96.0],
    },
    Measured {
        identity: "player_3",
        photo: "group_3",
        source: GROUP_PHOTO,
        face: [462.0, 266.5, 113.4, 150.6],
        landmarks: [[485.6, 322.4], [545.3, 326.2], [507.7, 354.9], [483.9, 374.5], [532.2, 379.9]],
        oval: [526.0, 328.0, 84.0, 112.0],
    },
    Measured {
        identity: "player_4",
        photo: "group_4",
        source: GROUP_PHOTO,
        face: [747.2, 345.1, 99.0, 131.8],
        landmarks: [[760.3, 398.2], [804.0, 397.1], [773.4, 422.3], [763.9, 441.1], [798.6, 441.4]],
        oval: [806.0, 392.0, 74.0, 104.0],
    },
    Measured {
        identity: "player_5",
        photo: "group_5",
        source: GROUP_PHOTO,
        face: [903.6, 62.5, 107.6, 140.8],
        landmarks: [[919.5, 114.5], [953.7, 113.2], [924.4, 142.3], [928.5, 168.7], [957.5, 166.4]],
        oval: [968.0, 112.0, 92.0, 116.0],
    },
    Measured {
        identity: "player_6",
        photo: "group_6",
        source: GROUP_PHOTO,
        face: [1133.6, 273.3, 92.4, 125.5],
        landmarks: [[1151.6, 323.2], [1195.1, 323.1], [1169.3, 346.7], [1155.8, 365.6], [1191.4, 365.1]],
        oval: [1186.0, 328.0, 74.0, 98.0],
    },
];

const CALLER: [Measured; 5] = [
    Measured {
        identity: "caller",
        photo: "car_000",
        source: Source::VideoFrame(CAR_VIDEO, 0),
        face: [65.8, 34.6, 46.2, 62.6],
        landmarks: [[80.6, 58.6], [101.5, 57.0], [93.7, 70.7], [83.7, 79.8], [101.3, 78.7]],
        oval: [88.0, 59.0, 36.0, 50.0],
    },
    Measured {
        identity: "caller",
        photo: "car_088",
        source: Source::VideoFrame(CAR_VIDEO, 88),
        face: [35.7, 37.6, 51.9, 59.6],
        landmarks: [[52.8, 63.1], [74.6, 59.6], [69.2, 73.7], [58.1, 82.9], [76.5, 80.4]],
        oval: [60.0, 61.0, 39.0, 48.0],
    },
    Measured {
        identity: "caller",
        photo: "car_040",
        source: Source::VideoFrame(CAR_VIDEO, 40),
        face: [51.1, 37.5, 49.3, 65.1],
        landmarks: [[64.5, 63.3], [85.3, 61.8], [75.9, 75.6], [67.9, 85.2], [86.7, 83.8]],
        oval: [75.0, 62.0, 37.0, 50.0],
    },
    Measured {
        identity: "caller",
        photo: "car_060",
        source: Source::VideoFrame(CAR_VIDEO, 60),
        face: [54.4, 29.9, 48.2, 66.8],
        landmarks: [[65.3, 51.2], [86.3, 50.7], [75.9, 63.1], [69.4, 74.6], [87.3, 75.0]],
        oval: [77.0, 56.0, 37.0, 52.0],
    },
    Measured {
        identity: "caller",
        photo: "car_108",
        source: Source::VideoFrame(CAR_VIDEO, 108),
        face: [40.5, 35.3, 51.5, 62.7],
        landmarks: [[52.9, 61.2], [74.8, 55.9], [66.8, 71.6], [60.5, 82.4], [79.5, 79.0]],
        oval: [64.0, 60.0, 38.0, 49.0],
    },
];
