//! `MOTChallenge` rows: `frame,id,x,y,width,height,confidence,…`, frames from 1.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use facereel_domain::geometry::BBox;

use super::ByFrame;
use crate::sequence::Identified;

/// Highest frame number that is believed: nearly four days at 30 a second. Measures go through all frames up to the last.
const MOST_FRAMES: u32 = 10_000_000;

/// Why a text is no list of `MOTChallenge` rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MotError {
    /// A line does not have the columns, or one of them is no number, or a frame or id none that there can be.
    #[error(
        "line {line} is no MOTChallenge row: write frame,id,x,y,width,height,confidence with frames from 1 to {MOST_FRAMES}"
    )]
    Row {
        /// From 1.
        line: usize,
    },
    /// Nobody is in a frame twice.
    #[error("line {line} has track {id} for a second time in frame {frame}")]
    Twice {
        /// From 1.
        line: usize,
        /// Its track.
        id: u32,
        /// From 1, as written.
        frame: u64,
    },
}

/// A row as written, but for the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotRow {
    /// From 0.
    pub frame: u64,
    /// Track and box.
    pub seen: Identified,
    /// Column 7: of ground truth 0 where a row does not count, of results the score.
    pub confidence: f64,
    /// Column 9 of ground truth in nine columns, 0 to 1. Files with ten columns have something else there.
    pub visibility: Option<f64>,
}

/// A face of the ground truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueFace {
    /// Track and box.
    pub seen: Identified,
    /// How much of it can be seen, 0 to 1; 1 where the file does not say.
    pub visibility: f64,
}

/// All rows of `text`, in order of time. Empty lines are passed over.
pub fn mot_rows(text: &str) -> Result<Vec<MotRow>, MotError> {
    let mut known = BTreeSet::new();
    let mut rows = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            continue;
        }
        let row = row(content).ok_or(MotError::Row { line })?;
        let id = row.seen.id;
        if !known.insert((row.frame, id)) {
            return Err(MotError::Twice { line, id, frame: row.frame + 1 });
        }
        rows.push(row);
    }
    rows.sort_by_key(|row| row.frame);
    Ok(rows)
}

fn row(line: &str) -> Option<MotRow> {
    let columns: Vec<f64> =
        line.split(',').map(|column| column.trim().parse().ok()).collect::<Option<_>>()?;
    let [frame, id, x, y, width, height, confidence, ..] = columns[..] else { return None };
    let (frame, id) = (whole(frame, 1..=MOST_FRAMES)?, whole(id, 0..=u32::MAX)?);
    let bbox = BBox::from_xyxy([x, y, x + width, y + height].map(|v| v as f32)).ok()?;
    let visibility = columns.get(8).filter(|v| columns.len() == 9 && **v >= 0.0);
    Some(MotRow {
        frame: u64::from(frame) - 1,
        seen: Identified { id, bbox },
        confidence,
        visibility: visibility.copied(),
    })
}

/// A whole number within `range`.
fn whole(value: f64, range: RangeInclusive<u32>) -> Option<u32> {
    let is_within = (f64::from(*range.start())..=f64::from(*range.end())).contains(&value);
    (is_within && value.fract() == 0.0).then_some(value as u32)
}

/// Ground truth by frame; rows with confidence 0 are marks for people and left out.
#[must_use]
pub fn true_faces(rows: &[MotRow]) -> ByFrame<TrueFace> {
    let mut faces = ByFrame::new();
    for row in rows.iter().filter(|row| row.confidence != 0.0) {
        let face = TrueFace { seen: row.seen, visibility: row.visibility.unwrap_or(1.0) };
        faces.entry(row.frame).or_insert_with(Vec::new).push(face);
    }
    faces
}

/// A tracker's boxes by frame.
#[must_use]
pub fn found_boxes(rows: &[MotRow]) -> ByFrame<Identified> {
    let mut boxes = ByFrame::new();
    for row in rows {
        boxes.entry(row.frame).or_insert_with(Vec::new).push(row.seen);
    }
    boxes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_count_from_zero_and_the_corner_becomes_corners() {
        let rows = mot_rows("2,7,10.5,20,30,40,1,1,0.25\n\n1,7,0,0,5,5,1,1,1\n").unwrap();
        assert_eq!((rows[0].frame, rows[1].frame), (0, 1));
        assert_eq!(rows[1].seen.bbox, BBox::from_xyxy([10.5, 20.0, 40.5, 60.0]).unwrap());
        assert_eq!(rows[1].visibility, Some(0.25));
    }

    #[test]
    fn rows_of_ten_columns_say_nothing_about_visibility() {
        let rows = mot_rows("1,1,0,0,5,5,1,-3.1,16.3,0.4\n1,2,0,0,5,5,1,-1,-1,-1\n").unwrap();
        assert!(rows.iter().all(|row| row.visibility.is_none()));
    }

    #[test]
    fn marked_rows_are_no_truth() {
        let rows = mot_rows("1,1,0,0,5,5,0,1,1\n1,2,0,0,5,5,1,1,1\n").unwrap();
        assert_eq!(true_faces(&rows)[&0].len(), 1);
        assert_eq!(found_boxes(&rows)[&0].len(), 2);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in [
            "0,1,0,0,5,5,1",
            "nan,1,0,0,5,5,1",
            "1e12,1,0,0,5,5,1",
            "1.5,1,0,0,5,5,1",
            "1,-1,0,0,5,5,1",
            "1,1,0,0,0,5,1",
            "1,1,0,0,5,5",
            "1,a,0,0,5,5,1",
        ] {
            assert_eq!(
                mot_rows(&format!("1,9,0,0,5,5,1\n{wrong}")),
                Err(MotError::Row { line: 2 }),
                "{wrong}"
            );
        }
        let twice = mot_rows("3,1,0,0,5,5,1\n3,1,9,0,5,5,1");
        assert_eq!(twice, Err(MotError::Twice { line: 2, id: 1, frame: 3 }));
    }
}
