//! What is wrong with a run, as sentences, and not more of them than people read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Problems that are listed of one file; the others are only counted, as one fault can spoil every row.
const LISTED_PER_FILE: usize = 20;
/// Longest sentence in characters: what a broken file says is quoted in it.
const LONGEST: usize = 400;

/// Something that is wrong with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, relative to the run's folder (`current.json`: the episode's).
    pub path: String,
    /// What is wrong with it, as a sentence.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<Problem>,
    by_path: BTreeMap<String, usize>,
}

impl Problems {
    /// Something is wrong with the file at `path`.
    pub(super) fn add(&mut self, path: &str, what: impl Into<String>) {
        let of_file = self.by_path.entry(path.to_owned()).or_default();
        *of_file += 1;
        if *of_file <= LISTED_PER_FILE {
            self.listed.push(Problem { path: path.to_owned(), what: shortened(what.into()) });
        }
    }

    /// Something is wrong with a line, counted from 1.
    pub(super) fn at_line(&mut self, path: &str, line: usize, what: impl fmt::Display) {
        self.add(path, format!("line {line}: {what}"));
    }

    pub(super) fn into_list(mut self) -> Vec<Problem> {
        for (path, count) in self.by_path {
            if let Some(more) = count.checked_sub(LISTED_PER_FILE).filter(|more| *more > 0) {
                self.listed.push(Problem { path, what: format!("{more} more problems of this file") });
            }
        }
        self.listed
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broken_file_says_is_quoted_in_part() {
        let mut problems = Problems::default();
        problems.at_line("a.jsonl", 3, "é".repeat(10_000));
        let [problem] = &problems.into_list()[..] else { panic!("one problem") };
        assert!(problem.to_string().starts_with("a.jsonl: line 3: éé"));
        assert!(problem.what.ends_with('…') && problem.what.chars().count() == LONGEST + 1);
    }

    #[test]
    fn many_problems_of_one_file_hide_none_of_another() {
        let mut problems = Problems::default();
        for line in 1..=50 {
            problems.at_line("a.jsonl", line, "wrong");
        }
        problems.add("b.jsonl", "it is missing");
        let listed: Vec<String> = problems.into_list().iter().map(Problem::to_string).collect();
        assert_eq!(listed.len(), LISTED_PER_FILE + 2);
        assert_eq!(
            listed[LISTED_PER_FILE..],
            ["b.jsonl: it is missing", "a.jsonl: 30 more problems of this file"]
        );
    }
}
