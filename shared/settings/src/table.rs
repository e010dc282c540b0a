//! Settings as a table for people: `facereel settings`.

use crate::error::SettingsError;
use crate::resolved::{Reported, Resolved};

/// Every setting with value, unit and source, then the notes. Credentials are left out.
pub fn render_table(resolved: &Resolved) -> Result<String, SettingsError> {
    let mut rows = vec![["SETTING", "VALUE", "UNIT", "SOURCE"].map(str::to_owned)];
    rows.extend(resolved.report()?.into_iter().map(row));
    let widths: [usize; 4] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    for note in &resolved.notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    Ok(if resolved.notes.is_empty() { text } else { text + "\n" })
}

fn row(reported: Reported) -> [String; 4] {
    let Reported { path, value, unit, source, .. } = reported;
    let value = if value.is_empty() { "-".to_owned() } else { value };
    [path.to_owned(), value, unit.to_owned(), source.to_string()]
}
