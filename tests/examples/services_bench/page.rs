//! Tables in a Markdown page, each between markers: what stands around them is left alone.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A table, made anew each time.
pub(crate) struct Table {
    /// As its markers have it: `<!-- bench NAME: begin -->`.
    pub(crate) name: &'static str,
    /// Names of the columns.
    pub(crate) header: Vec<&'static str>,
    /// As many cells each.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// As Markdown.
    pub(crate) fn text(&self) -> String {
        let head = self.header.iter().map(|&cell| cell.to_owned()).collect();
        let rule = vec!["---".to_owned(); self.header.len()];
        let lines = [head, rule].into_iter().chain(self.rows.iter().cloned());
        lines.map(|cells| format!("| {} |", cells.join(" | "))).collect::<Vec<_>>().join("\n")
    }

    /// The page with this table in place of the old one, or behind everything.
    fn within(&self, page: &str) -> String {
        let [begin, end] = ["begin", "end"].map(|word| format!("<!-- bench {}: {word} -->", self.name));
        let block = format!("{begin}\n{}\n{end}", self.text());
        let around =
            page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        match around {
            Some((before, after)) => format!("{before}{block}{after}"),
            None => format!("{}\n\n{block}\n", page.trim_end()),
        }
    }
}

/// Puts the tables into the page.
pub(crate) fn put(page: &Path, tables: &[Table]) -> Result<()> {
    let old = fs::read_to_string(page).with_context(|| format!("{} can't be read", page.display()))?;
    let new = tables.iter().fold(old, |text, table| table.within(&text));
    fs::write(page, new).with_context(|| format!("{} can't be written", page.display()))
}
