//! Figures for people.

use facereel_evaluation::people::{Found, Mixing};
use facereel_evaluation::report::{Figures, SequenceReport};

use crate::console;

/// A line of figures for each name.
pub(super) fn print(names: &[String], figures: &[Figures]) {
    let width = names.iter().map(String::len).max().unwrap_or(0).max("sequence".len());
    console::out(format!("{:width$} {HEAD}", "sequence"));
    for (name, figures) in names.iter().zip(figures) {
        console::out(format!("{name:width$} {}", line(figures)));
    }
}

const HEAD: &str =
    "  HOTA   DetA   AssA   MOTA   IDF1 recall  prec.  IDSW  frag  missed  extra  tracks / true";

fn line(f: &Figures) -> String {
    format!(
        "{:6.2} {:6.2} {:6.2} {:6.2} {:6.2} {:6.2} {:6.2} {:5} {:5} {:7} {:6} {:7} / {}",
        f.hota,
        f.deta,
        f.assa,
        f.mota,
        f.idf1,
        f.recall,
        f.precision,
        f.id_switches,
        f.fragments,
        f.misses,
        f.false_positives,
        f.found_tracks,
        f.truth_tracks
    )
}

/// What stands below one sequence's line.
pub(super) fn print_details(report: &SequenceReport) {
    let Figures { frames, truth_faces, excused_boxes, .. } = report.figures;
    console::out(format!(
        "judged      {frames} frames, {truth_faces} faces; {excused_boxes} boxes on ignored faces excused"
    ));
    let Mixing {
        mixed_tracks,
        strayed_faces,
        wrong_person_faces,
        split_truth_tracks,
        cut_crossing_tracks,
        ..
    } = report.mixing;
    console::out(format!(
        "mixed       {mixed_tracks} tracks on more than one face, {strayed_faces} faces in another's track, \
         {wrong_person_faces} in another person's"
    ));
    console::out(format!(
        "split       {split_truth_tracks} true tracks in pieces; {cut_crossing_tracks} tracks cross a true cut"
    ));
    for class in &report.recall_by_size {
        let below =
            class.below_px.map_or_else(|| " px and more".to_owned(), |below| format!(" to {below} px"));
        console::out(format!("recall      {}, faces of {}{below}", share(class.found), class.from_px));
    }
    for shot in report.recall_by_shot.iter().filter(|shot| shot.found.found < shot.found.faces) {
        console::out(format!(
            "missed in   shot {} (frame {}): {}",
            shot.shot,
            shot.first_frame,
            share(shot.found)
        ));
    }
}

/// How many of the faces the detector found.
pub(super) fn print_detected(detected: Found) {
    console::out(format!("detected    {}, tracked or not", share(detected)));
}

fn share(found: Found) -> String {
    format!("{:.2} % ({} of {})", 100.0 * found.recall(), found.found, found.faces)
}
