//! Lists of shots and of identities, as CSV with a head.

use std::collections::BTreeMap;

/// A list that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The head lacks a column.
    #[error("its first line has no column '{0}'")]
    Column(&'static str),
    /// A line does not fit the head.
    #[error("line {0} has no number in a column that needs one, or too few columns")]
    Line(usize),
}

/// First frames of the shots, from 0, in order of time; the first shot's included.
///
/// Wanted is a column `first_frame`. Frames count from what the column `counted_from` says; without one, from the first
/// shot's first frame, as a list of shots begins with the video.
pub fn shot_starts(text: &str) -> Result<Vec<u64>, ListError> {
    let table = Table::new(text)?;
    let mut starts: Vec<u64> = table.numbers("first_frame")?;
    starts.sort_unstable();
    let bases = table.numbers("counted_from").unwrap_or_default();
    let base = bases.first().or(starts.first()).copied().unwrap_or(0);
    Ok(starts.into_iter().map(|frame| frame.saturating_sub(base)).collect())
}

/// Who each true track is, from the columns `track_id` and `identity`.
pub fn identities(text: &str) -> Result<BTreeMap<u32, String>, ListError> {
    let table = Table::new(text)?;
    let tracks = table.numbers("track_id")?;
    let names = table.column("identity")?;
    let tracks = tracks.into_iter().map(|track| track as u32);
    Ok(tracks.zip(names.into_iter().map(str::to_owned)).collect())
}

/// Cells without quotes, as ground truth has them.
struct Table<'a> {
    head: Vec<&'a str>,
    rows: Vec<(usize, Vec<&'a str>)>,
}

impl<'a> Table<'a> {
    fn new(text: &'a str) -> Result<Self, ListError> {
        let cells = |line: &'a str| line.split(',').map(str::trim).collect::<Vec<_>>();
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let head = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
        let rows: Vec<_> = lines.map(|(number, line)| (number, cells(line))).collect();
        match rows.iter().find(|(_, row)| row.len() < head.len()) {
            Some((number, _)) => Err(ListError::Line(*number)),
            None => Ok(Self { head, rows }),
        }
    }

    fn column(&self, name: &'static str) -> Result<Vec<&'a str>, ListError> {
        let place = self.head.iter().position(|cell| *cell == name).ok_or(ListError::Column(name))?;
        Ok(self.rows.iter().map(|(_, row)| row[place]).collect())
    }

    fn numbers(&self, name: &'static str) -> Result<Vec<u64>, ListError> {
        let cells = self.column(name)?;
        let number =
            |(cell, (line, _)): (&str, &(usize, Vec<&str>))| cell.parse().map_err(|_| ListError::Line(*line));
        cells.into_iter().zip(&self.rows).map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shots_may_count_from_one_or_from_zero() {
        let from_one = "shot,first_frame,last_frame,kind\n1,1,104,tv\n2,105,270,tv\n";
        let from_zero = "shot,first_frame,last_frame\n0,0,103\n1,104,269\n";
        let said = "shot,first_frame,last_frame,counted_from\n0,0,103,0\n1,104,269,0\n";
        for text in [from_one, from_zero, said] {
            assert_eq!(shot_starts(text).unwrap(), [0, 104]);
        }
    }

    #[test]
    fn identities_are_read_by_the_names_of_their_columns() {
        let people = identities("track_id,shot,identity\n1,1,ada\n2,1,grace\n").unwrap();
        assert_eq!(people[&2], "grace");
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(shot_starts("shot,last\n1,2\n"), Err(ListError::Column("first_frame")));
        assert_eq!(shot_starts("shot,first_frame\n1,x\n"), Err(ListError::Line(2)));
        assert_eq!(shot_starts("shot,first_frame\n\n1\n"), Err(ListError::Line(3)));
    }
}
