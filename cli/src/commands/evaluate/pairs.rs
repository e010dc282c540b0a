//! Lists of photo pairs in the format of Labeled Faces in the Wild.

use std::path::{Path, PathBuf};

/// Two photos, and whether they show one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) photos: [Photo; 2],
    pub(super) is_same: bool,
}

/// A photo of a person, by number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Photo {
    person: String,
    number: u32,
}

impl Photo {
    /// Where it lies below `images`: `NAME/NAME_0001.jpg`.
    pub(super) fn path(&self, images: &Path) -> PathBuf {
        images.join(&self.person).join(format!("{}_{:04}.jpg", self.person, self.number))
    }
}

/// A list of pairs and the folds it is cut into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PairList {
    pub(super) pairs: Vec<Pair>,
    /// How many folds the list says it has.
    pub(super) folds: usize,
}

/// Lines of the list: `NAME 1 2` is a pair of one person, `NAME 1 OTHER 2` one of two, separated by tabs. The first
/// line says `FOLDS PAIRS`, or `PAIRS` of each kind for one fold. An error is the number of a line that says none
/// of this.
pub(super) fn parse(text: &str) -> Result<PairList, usize> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let head = lines.next_if(|(_, line)| line.split('\t').all(|part| part.trim().parse::<u32>().is_ok()));
    let folds = head.and_then(|(_, line)| {
        let numbers: Vec<usize> = line.split('\t').filter_map(|part| part.trim().parse().ok()).collect();
        if let [folds, _] = numbers[..] { Some(folds) } else { None }
    });
    let pairs = lines.map(|(number, line)| pair(line).ok_or(number + 1)).collect::<Result<_, _>>()?;
    Ok(PairList { pairs, folds: folds.unwrap_or(1).max(1) })
}

fn pair(line: &str) -> Option<Pair> {
    let photo =
        |person: &str, number: &str| Some(Photo { person: person.to_owned(), number: number.parse().ok()? });
    let parts: Vec<_> = line.trim().split('\t').collect();
    match parts[..] {
        [person, a, b] => Some(Pair { photos: [photo(person, a)?, photo(person, b)?], is_same: true }),
        [person, a, other, b] => Some(Pair { photos: [photo(person, a)?, photo(other, b)?], is_same: false }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_pairs_are_read() {
        let list = parse("1\t300\nAda_L\t1\t4\nAda_L\t2\tGrace_H\t1\n").unwrap();
        assert_eq!((list.folds, list.pairs.len()), (1, 2));
        assert!(list.pairs[0].is_same && !list.pairs[1].is_same);
        let path = list.pairs[0].photos[1].path(Path::new("images"));
        assert_eq!(path, Path::new("images/Ada_L/Ada_L_0004.jpg"));
    }

    #[test]
    fn a_list_without_a_head_is_one_fold() {
        assert_eq!(parse("Ada_L\t1\t4\n").unwrap().folds, 1);
        assert_eq!(parse("10\t300\nAda_L\t1\t4\n").unwrap().folds, 10);
    }

    #[test]
    fn a_line_that_is_no_pair_is_named() {
        assert_eq!(parse("300\nAda_L\t1\t4\nAda_L 1 4\n"), Err(3));
    }
}
