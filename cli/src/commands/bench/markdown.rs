//! Tables of results in a Markdown file, each between markers: what stands around them is left alone.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A table by the name that its markers have: `<!-- bench NAME: begin -->`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) header: &'static [&'static str],
    /// How many cells at a row's begin tell it from the others.
    pub(super) keys: usize,
}

impl Table {
    /// Puts `rows` into the table of the file, each in place of the one with the same keys. The file and the table are
    /// made where they are missing.
    pub(super) fn put(&self, file: &Path, rows: &[Vec<String>]) -> Result<()> {
        let old = if file.exists() {
            fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?
        } else {
            String::new()
        };
        let new = rows.iter().fold(old, |page, row| self.with_row(&page, row));
        fs::write(file, new).with_context(|| format!("{} can't be written", file.display()))
    }

    fn with_row(&self, old: &str, row: &[String]) -> String {
        let Self { header, keys, name } = *self;
        let [begin, end] = ["begin", "end"].map(|end| format!("<!-- bench {name}: {end} -->"));
        let (before, table, after) = parts(old, [&begin, &end]);
        let mut rows: Vec<Vec<String>> =
            table.lines().map(cells).filter(|cells| cells.len() == header.len()).skip(2).collect();
        match rows.iter_mut().find(|known| known[..keys] == row[..keys]) {
            Some(known) => *known = row.to_vec(),
            None => rows.push(row.to_vec()),
        }
        let head: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
        let rule = vec!["---".to_owned(); header.len()];
        let lines: Vec<_> =
            [head, rule].iter().chain(&rows).map(|row| format!("| {} |", row.join(" | "))).collect();
        format!("{before}{begin}\n{}\n{end}{after}", lines.join("\n"))
    }
}

/// What stands before, between and after the markers.
fn parts<'a>(text: &'a str, [begin, end]: [&str; 2]) -> (String, &'a str, &'a str) {
    let found = text
        .split_once(begin)
        .and_then(|(before, rest)| rest.split_once(end).map(|(table, after)| (before, table, after)));
    match found {
        Some((before, table, after)) => (before.to_owned(), table, after),
        None if text.is_empty() => ("# Benchmarks\n\n".to_owned(), "", "\n"),
        None => (format!("{}\n\n", text.trim_end()), "", "\n"),
    }
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    const TABLE: Table = Table { name: "pipeline", header: &["clip", "flags", "wall"], keys: 2 };

    #[test]
    fn a_result_replaces_the_one_of_the_same_clip_and_flags() {
        let first = TABLE.with_row("", &row(["a.mp4", "", "1"]));
        let second = TABLE.with_row(&first, &row(["b.mp4", "", "2"]));
        let third = TABLE.with_row(&second, &row(["a.mp4", "", "3"]));
        assert!(third.contains("| a.mp4 |  | 3 |\n| b.mp4 |  | 2 |"), "{third}");
        assert!(!third.contains("| 1 |"));
    }

    #[test]
    fn the_text_around_the_table_stays() {
        let page = TABLE.with_row("# Speed\n\nSome words.\n", &row(["a", "", "1"]));
        let page = page + "More words.\n";
        let again = TABLE.with_row(&page, &row(["a", "", "2"]));
        assert!(again.starts_with("# Speed\n\nSome words.\n") && again.ends_with("More words.\n"), "{again}");
        assert_eq!(again.matches("begin -->").count(), 1);
    }

    #[test]
    fn tables_of_other_names_stay() {
        let page = TABLE.with_row("", &row(["a", "", "1"]));
        let both = Table { name: "ablation", ..TABLE }.with_row(&page, &row(["a", "", "9"]));
        assert!(both.contains("| a |  | 1 |") && both.contains("| a |  | 9 |"), "{both}");
    }
}
