//! A table of results in a Markdown file, between markers: what stands around them is left alone.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

const BEGIN: &str = "<!-- bench pipeline: begin -->";
const END: &str = "<!-- bench pipeline: end -->";

/// Puts `row` into the table of the file, in place of the row that begins with the same `keys` cells. The file and
/// the table are made where they are missing.
pub(super) fn put_row(file: &Path, header: &[&str], keys: usize, row: &[String]) -> Result<()> {
    let old = if file.exists() {
        fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?
    } else {
        String::new()
    };
    let new = with_row(&old, header, keys, row);
    fs::write(file, new).with_context(|| format!("{} can't be written", file.display()))
}

fn with_row(old: &str, header: &[&str], keys: usize, row: &[String]) -> String {
    let (before, table, after) = parts(old);
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
    format!("{before}{BEGIN}\n{}\n{END}{after}", lines.join("\n"))
}

/// What stands before, between and after the markers.
fn parts(text: &str) -> (String, &str, &str) {
    let found = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(table, after)| (before, table, after)));
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

    const HEADER: [&str; 3] = ["clip", "flags", "wall"];

    #[test]
    fn a_result_replaces_the_one_of_the_same_clip_and_flags() {
        let first = with_row("", &HEADER, 2, &row(["a.mp4", "", "1"]));
        let second = with_row(&first, &HEADER, 2, &row(["b.mp4", "", "2"]));
        let third = with_row(&second, &HEADER, 2, &row(["a.mp4", "", "3"]));
        assert!(third.contains("| a.mp4 |  | 3 |\n| b.mp4 |  | 2 |"), "{third}");
        assert!(!third.contains("| 1 |"));
    }

    #[test]
    fn the_text_around_the_table_stays() {
        let page = with_row("# Speed\n\nSome words.\n", &HEADER, 2, &row(["a", "", "1"]));
        let page = page + "More words.\n";
        let again = with_row(&page, &HEADER, 2, &row(["a", "", "2"]));
        assert!(again.starts_with("# Speed\n\nSome words.\n") && again.ends_with("More words.\n"), "{again}");
        assert_eq!(again.matches(BEGIN).count(), 1);
    }
}
