//! The settings reference, `docs/settings.md`, from the table of knobs and the defaults.

use std::fmt::Write;

use facereel_domain::settings::{Profile, Settings};

use crate::check::shown;
use crate::error::SettingsError;
use crate::kind::Kind;
use crate::knob::{Knob, Reading, Scope};
use crate::knobs;
use crate::paths::{self, Leaves};

const HEAD: &str = "\
# Settings

<!-- Generated: cargo run -p facereel-settings --example reference > docs/settings.md -->

A value comes from the first of these places that sets it:

1. the command line: `--set detect.stride=3` (and flags of their own, such as `--profile fast`);
2. the environment: `FACEREEL__DETECT__STRIDE=3`;
3. a file, `--config facereel.toml`: `stride = 3` under `[detect]`;
4. the profile: `fast`, `balanced` or `high`;
5. the default, which is the profile `balanced`.

Lists are separated by commas in the environment and on the command line. An empty environment variable counts as not
set. A key that does not exist is refused, and so is a value outside its range. `facereel settings` prints every value
with its source.

Settings marked with * determine what a run's artifacts contain: they are part of its id, and changing one makes a new
run. All others only say where and how fast to work. Durations are in seconds, sizes in pixels of the source video.
";

const LEGACY_HEAD: &str = "
## Older names

These still work, each with a note (but `--stride`, a flag of today too). Environment names are read bare and with either prefix, `SCREANALYTICS_` or
`SCREENALYTICS_`; where a setting's own name is set in the same place, that one counts. A duration in frames becomes
seconds at the frame rate of the video.

| older name | setting | its value |
|---|---|---|
";

/// Groups in the order of the table, with their headings.
const GROUPS: [(&str, &str); 16] = [
    ("profile", "Profile"),
    ("detect", "Detection"),
    ("shots", "Shots"),
    ("track", "Tracking"),
    ("quality", "Quality gates"),
    ("crops", "Crops"),
    ("gate", "Appearance gate"),
    ("embed", "Embedding"),
    ("export", "Export"),
    ("limits", "Limits"),
    ("models", "Models"),
    ("store", "Store"),
    ("queue", "Queue"),
    ("log", "Log"),
    ("source", "Source videos"),
    ("service", "Services"),
];

/// The reference page, in Markdown.
pub fn render_reference() -> Result<String, SettingsError> {
    let defaults = paths::leaves(&Settings::default())?;
    let mut page = HEAD.to_owned();
    for (group, heading) in GROUPS {
        let rows: String = knobs::all().filter(|k| k.group() == group).map(|k| row(k, &defaults)).collect();
        let head =
            "| setting | default | fast | high | allowed | what it does |\n|---|---|---|---|---|---|\n";
        // Writing to a String never fails.
        let _ = write!(page, "\n## {heading}\n\n{head}{rows}");
    }
    page.push_str(LEGACY_HEAD);
    page.extend(knobs::all().flat_map(legacy_rows));
    Ok(page)
}

fn row(knob: &Knob, defaults: &Leaves) -> String {
    let star = if knob.scope() == Scope::Artifacts { " *" } else { "" };
    let default = code(&defaults.get(knob.path).map(shown).unwrap_or_default());
    let [fast, high] =
        [Profile::Fast, Profile::High].map(|p| knob.in_profile(p).map(code).unwrap_or_default());
    format!("| `{}`{star} | {default} | {fast} | {high} | {} | {} |\n", knob.path, allowed(knob), knob.doc)
}

fn allowed(knob: &Knob) -> String {
    let range = match knob.kind {
        Kind::Switch => "true, false".to_owned(),
        Kind::Integer(low, high) => format!("{low} to {high}, whole"),
        Kind::Number(low, high) => format!("{low} to {high}"),
        Kind::Text => "text".to_owned(),
        Kind::Choice(names) => names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", "),
        Kind::Digest => "64 hexadecimal digits".to_owned(),
        Kind::List => "list".to_owned(),
    };
    if knob.unit.is_empty() { range } else { format!("{range} ({})", knob.unit) }
}

fn legacy_rows(knob: &Knob) -> impl Iterator<Item = String> {
    knob.legacy.iter().map(|legacy| {
        let reading = match legacy.reading {
            Reading::Same => "the same",
            Reading::Frames => "frames",
            Reading::Distance => "a distance, 1 - IoU",
        };
        format!("| `{}` | `{}` | {reading} |\n", legacy.name, knob.path)
    })
}

fn code(text: &str) -> String {
    if text.is_empty() { "(empty)".to_owned() } else { format!("`{text}`") }
}
