//! What is true about a composed clip.

use std::fs;
use std::path::Path;

use facereel_domain::geometry::BBox;

/// A face of the ground truth.
#[derive(Debug, Clone)]
pub struct TrueFace {
    /// Number of the frame, from 0.
    pub frame_idx: u64,
    /// The shot.
    pub shot: u64,
    /// Who it is.
    pub identity: String,
    /// Its box.
    pub bbox: BBox,
    /// The part of it that can be seen, 0 to 1.
    pub visibility: f32,
}

/// A shot of the ground truth.
#[derive(Debug, Clone)]
pub struct TrueShot {
    /// Number of its first frame, from 0.
    pub first_frame: u64,
    /// Number of its last frame.
    pub last_frame: u64,
    /// What happens in it.
    pub kind: String,
    /// How it begins.
    pub transition: String,
    /// First and last frame of a stretch in which nothing moves.
    pub still: Option<(u64, u64)>,
}

/// Every visible face of the clip in `folder`, in the order of the file.
///
/// # Panics
///
/// Where the file is not as `facereel-synth` writes it.
#[must_use]
pub fn faces(folder: &Path) -> Vec<TrueFace> {
    rows(&folder.join("gt_faces.csv")).iter().map(|row| face(row)).collect()
}

/// Every shot of the clip in `folder`, in order.
///
/// # Panics
///
/// Where the file is not as `facereel-synth` writes it.
#[must_use]
pub fn shots(folder: &Path) -> Vec<TrueShot> {
    rows(&folder.join("shots.csv")).iter().map(|row| shot(row)).collect()
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// `frame,track_id,identity,shot,x,y,w,h,visibility,…`, frames from 1.
fn face(row: &[String]) -> TrueFace {
    let number = |at: usize| row[at].parse::<f32>().expect("a number");
    let (x, y) = (number(4), number(5));
    TrueFace {
        frame_idx: row[0].parse::<u64>().expect("a frame number") - 1,
        shot: row[3].parse().expect("a shot number"),
        identity: row[2].clone(),
        bbox: BBox::from_xyxy([x, y, x + number(6), y + number(7)]).expect("a true face has a box"),
        visibility: number(8),
    }
}

/// `shot,first_frame,last_frame,kind,transition,still_first,still_last,…`, frames from 0.
fn shot(row: &[String]) -> TrueShot {
    let number = |at: usize| row[at].parse::<u64>().ok();
    TrueShot {
        first_frame: number(1).expect("a frame number"),
        last_frame: number(2).expect("a frame number"),
        kind: row[3].clone(),
        transition: row[4].clone(),
        still: number(5).zip(number(6)),
    }
}
