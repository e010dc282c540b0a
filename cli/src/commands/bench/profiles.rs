//! The profiles side by side: what each costs of the default's work, and what it finds.

use facereel_evaluation::people::SizeClass;

use super::compare::Taken;
use super::markdown::Table;
use super::measured::Measured;

/// The profiles, from the quickest.
pub(super) const NAMES: [&str; 3] = ["fast", DEFAULT, "high"];

const DEFAULT: &str = "balanced";

/// Flags of `facereel run` that choose the profile.
pub(super) fn flags(profile: &str) -> Vec<String> {
    vec!["--profile".to_owned(), profile.to_owned()]
}

/// One line for each profile, beside the knobs' table. Each is judged on all faces of 32 px and more, and on those of its
/// own `detect.min_face_px`: a profile that is told to pass over the small ones is not worse for doing so.
pub(super) const TABLE: Table = Table {
    name: "profiles",
    header: &[
        "clip",
        "profile",
        "wall, of balanced",
        "CPU, of balanced",
        "analysed",
        "crops",
        "embeddings",
        "IDF1 from 32 px",
        "recall from 32 px",
        "own smallest face, px",
        "IDF1",
        "HOTA",
        "recall",
        "switches",
        "wrong person",
        "tracks over a cut",
        "recall by size",
    ],
    keys: 2,
};

/// The lines of these profiles.
pub(super) fn rows(clip: &str, profiles: &[(&str, Measured)]) -> Vec<Vec<String>> {
    let default = profiles.iter().find(|(name, _)| *name == DEFAULT).map(|(_, measured)| &measured.taken);
    profiles.iter().map(|(name, measured)| row(clip, name, (measured, default))).collect()
}

fn row(clip: &str, name: &str, (measured, default): (&Measured, Option<&Taken>)) -> Vec<String> {
    let share = |of: fn(&Taken) -> f64| default.map(|default| of(&measured.taken) / of(default));
    let shown = |share: Option<f64>| share.map(|share| format!("{share:.2}")).unwrap_or_default();
    let mut row = vec![
        clip.to_owned(),
        name.to_owned(),
        shown(share(|taken| taken.wall_sec)),
        shown(share(|taken| taken.cpu_sec)),
        measured.frames_analysed.to_string(),
        measured.crops.to_string(),
        measured.embeddings.to_string(),
    ];
    let (Some(all), Some(own)) = (&measured.report, &measured.own_report) else {
        row.resize(TABLE.header.len(), String::new());
        return row;
    };
    let (figures, mixing) = (&own.tracks.figures, &own.tracks.mixing);
    row.extend([all.tracks.figures.idf1, all.tracks.figures.recall].map(|value| format!("{value:.1}")));
    row.push(measured.min_face_px.to_string());
    row.extend([figures.idf1, figures.hota, figures.recall].map(|value| format!("{value:.1}")));
    row.push(figures.id_switches.to_string());
    row.extend([mixing.wrong_person_faces, mixing.cut_crossing_tracks].map(|count| count.to_string()));
    row.push(by_size(&own.tracks.recall_by_size));
    row
}

/// As in `32-48: 96.2, 48-96: 100.0`.
fn by_size(classes: &[SizeClass]) -> String {
    let class = |class: &SizeClass| {
        let below = class.below_px.map_or_else(|| "more".to_owned(), |below| below.to_string());
        format!("{}-{below}: {:.1}", class.from_px, 100.0 * class.found.recall())
    };
    classes.iter().map(class).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_evaluation::people::Found;

    #[test]
    fn sizes_are_told_with_their_recall() {
        let class =
            |from_px, below_px, found| SizeClass { from_px, below_px, found: Found { found, faces: 4 } };
        assert_eq!(by_size(&[class(32, Some(64), 3), class(64, None, 4)]), "32-64: 75.0, 64-more: 100.0");
    }
}
