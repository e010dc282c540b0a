//! What an erasure says, to people and to programs.

use std::fmt::Write as _;

use anyhow::Result;
use exporter_svc::erase::{EraseError, ErasureRecord};
use facereel_domain::cause::chain;
use facereel_domain::ids::{RunRef, TrackId};
use facereel_store::OldVersions;
use serde::Serialize;

use super::targets::Target;
use super::warning;
use crate::console;
use crate::operator::utc;

/// For whom it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people, as it happens.
    Text,
    /// For programs, at the end.
    Json,
}

/// What becomes, or became, of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    run: RunRef,
    outcome: Outcome,
    /// Erasures, one a record.
    erasures: Vec<Taken>,
    /// Why it was not erased.
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Nothing was done, as nothing was to be.
    Planned,
    Erased,
    /// There was nothing left to erase.
    WasErased,
    Failed,
}

/// What an erasure takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Taken {
    /// Place among the run's erasures, from 1; null where the run has no commit, and so no records.
    number: Option<u32>,
    /// Null: everybody's faces.
    tracks: Option<Vec<TrackId>>,
    removed: u64,
    rewritten: u64,
    zeroed_vectors: u64,
}

impl Taken {
    fn of(record: &ErasureRecord) -> Self {
        let zeroed = record.zeroed_rows.faces.len() + record.zeroed_rows.tracks.len();
        Self {
            number: Some(record.number),
            tracks: record.tracks.clone(),
            removed: record.removed.len() as u64,
            rewritten: record.replaced.len() as u64,
            zeroed_vectors: zeroed as u64,
        }
    }

    fn text(&self) -> String {
        let mut text = match self.tracks.as_deref() {
            None => "all faces".to_owned(),
            Some([track]) => format!("track {track}"),
            Some(tracks) => {
                let numbers: Vec<String> = tracks.iter().map(ToString::to_string).collect();
                format!("tracks {}", numbers.join(", "))
            }
        };
        // Writing to a string can't fail.
        let _ = write!(text, ": {} removed", files(self.removed));
        if self.rewritten > 0 {
            let _ = write!(text, ", {} rewritten, {} vectors zeroed", self.rewritten, self.zeroed_vectors);
        }
        text
    }
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

impl Told {
    /// What would become of the target.
    pub(super) fn planned(target: &Target) -> Self {
        let erasures = match target {
            Target::Finished { preview, .. } => {
                preview.unfinished.iter().chain(&preview.next).map(Taken::of).collect()
            }
            Target::Unfinished { leftovers, .. } => vec![Taken {
                number: None,
                tracks: None,
                removed: leftovers.objects,
                rewritten: 0,
                zeroed_vectors: 0,
            }],
        };
        Self { run: target.run().clone(), outcome: Outcome::Planned, erasures, error: None }
    }

    /// That what was planned was done.
    pub(super) fn done(self) -> Self {
        Self { outcome: Outcome::Erased, ..self }
    }

    /// What was done.
    pub(super) fn erased(target: &Target, records: &[ErasureRecord]) -> Self {
        let outcome = if records.is_empty() { Outcome::WasErased } else { Outcome::Erased };
        let erasures = records.iter().map(Taken::of).collect();
        Self { run: target.run().clone(), outcome, erasures, error: None }
    }

    /// Why nothing, or not all, was done.
    pub(super) fn failed(target: &Target, error: &EraseError) -> Self {
        let error = Some(chain(error));
        Self { run: target.run().clone(), outcome: Outcome::Failed, erasures: Vec::new(), error }
    }

    /// Tells people, as soon as it is so.
    pub(super) fn show(&self, form: Form) {
        if form == Form::Json {
            return;
        }
        let run = format!("{} run {}", self.run.ep_id, self.run.run_id);
        match (self.outcome, &self.error) {
            (_, Some(error)) => console::err(format!("FAILED  {run}: {error}")),
            (Outcome::WasErased, _) => console::out(format!("erased  {run}: was erased before")),
            _ => {
                self.erasures
                    .iter()
                    .for_each(|taken| console::out(format!("erased  {run}: {}", taken.text())));
            }
        }
    }
}

/// What is to become of the target, in lines for people.
pub(super) fn plan(target: &Target) -> Vec<String> {
    let run = format!("{} run {}", target.run().ep_id, target.run().run_id);
    let (run, preview) = match target {
        Target::Finished { preview, .. } => (run, Some(preview)),
        Target::Unfinished { .. } => (format!("{run} (not finished)"), None),
    };
    let taken = Told::planned(target).erasures;
    let mut lines: Vec<String> =
        taken.iter().map(|taken| format!("erase   {run}: {}", taken.text())).collect();
    if let Some(unfinished) = preview.and_then(|preview| preview.unfinished.as_ref()) {
        let begun = utc(unfinished.begun_unix_sec);
        lines.push(format!(
            "        this was begun {begun} and not finished; what is left is told after that"
        ));
    }
    if lines.is_empty() {
        lines.push(format!("        {run}: was erased before"));
    }
    lines
}

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Totals {
    dry_run: bool,
    pub(super) runs: Vec<Told>,
    /// Pieces that writers which died had left.
    pub(super) swept: u64,
    warning: Option<&'static str>,
}

impl Totals {
    pub(super) fn new(dry_run: bool, old_versions: OldVersions) -> Self {
        Self { dry_run, runs: Vec::new(), swept: 0, warning: warning(old_versions) }
    }

    pub(super) fn has_failures(&self) -> bool {
        self.runs.iter().any(|told| told.outcome == Outcome::Failed)
    }

    pub(super) fn show(&self, form: Form) -> Result<()> {
        if form == Form::Json {
            console::out(serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        if self.runs.is_empty() {
            console::out("nothing to erase");
        }
        if self.swept > 0 {
            console::out(format!("swept   {} unfinished pieces of writers that died", self.swept));
        }
        if let Some(warning) = self.warning {
            console::err(format!("warning: {warning}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_told_in_a_line() {
        let all = Taken { number: Some(1), tracks: None, removed: 1, rewritten: 0, zeroed_vectors: 0 };
        assert_eq!(all.text(), "all faces: 1 file removed");
        let tracks = Some(vec![TrackId(3), TrackId(9)]);
        let some = Taken { tracks, removed: 12, rewritten: 5, zeroed_vectors: 8, ..all };
        assert_eq!(some.text(), "tracks 3, 9: 12 files removed, 5 rewritten, 8 vectors zeroed");
    }

    #[test]
    fn a_store_that_keeps_what_is_deleted_is_warned_of() {
        let warned = |old_versions| Totals::new(false, old_versions).warning.is_some();
        assert_eq!(
            [OldVersions::Gone, OldVersions::Kept, OldVersions::Unknown].map(warned),
            [false, true, true]
        );
    }
}
