//! What a backfill will do, told before it begins.

use std::collections::BTreeMap;

use anyhow::Result;
use facereel_domain::layout::pace_key;
use facereel_store::Store;
use serde::{Deserialize, Serialize};

use super::catalogue::{Action, Catalogue, Selection};
use super::standing::read_json;
use super::table::Table;
use crate::progress::clock;
use crate::request::pretty;

/// The plan of a backfill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Forecast {
    /// Videos in all.
    pub(crate) episodes: u64,
    /// Runs by where they stand: `new`, `submitted` (under way), `failed`, `cancelled`, `done`, and `unreadable`.
    pub(crate) standings: BTreeMap<&'static str, u64>,
    /// Runs to hand over.
    pub(crate) to_submit: u64,
    /// Bytes of their videos and of those under way.
    pub(crate) bytes: u64,
    /// How long it takes if it goes as fast as the last backfill of this store; absent where there was none.
    pub(crate) expected_sec: Option<f64>,
}

/// How fast a backfill was: the content of `operations/pace.json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct LastPace {
    schema_version: u32,
    /// Bytes of video finished in a second.
    bytes_per_sec: f64,
}

impl LastPace {
    /// Reads what the last backfill left.
    pub(crate) async fn read(store: &dyn Store) -> Result<Option<Self>> {
        read_json(store, &pace_key()).await
    }

    /// Leaves it for the next one.
    pub(crate) async fn write(store: &dyn Store, bytes_per_sec: f64) -> Result<()> {
        let pace = Self { schema_version: 1, bytes_per_sec };
        Ok(store.put(&pace_key(), pretty(&pace)?).await?)
    }
}

/// What will be done about `catalogue`.
pub(crate) fn forecast(catalogue: &Catalogue, selection: Selection, pace: Option<LastPace>) -> Forecast {
    let mut standings: BTreeMap<&'static str, u64> =
        ["new", "submitted", "failed", "cancelled", "done"].map(|word| (word, 0)).into();
    standings.insert("unreadable", catalogue.refused.len() as u64);
    let (mut to_submit, mut bytes) = (0, 0);
    for candidate in &catalogue.candidates {
        *standings.entry(candidate.standing.word()).or_default() += 1;
        let action = selection.action(&candidate.standing);
        to_submit += u64::from(matches!(action, Action::Submit | Action::Redo));
        bytes += if action == Action::Leave { 0 } else { candidate.size_bytes() };
    }
    let speed = pace.map(|pace| pace.bytes_per_sec).filter(|speed| speed.is_finite() && *speed > 0.0);
    let expected_sec = speed.map(|speed| bytes as f64 / speed);
    let episodes = (catalogue.candidates.len() + catalogue.refused.len()) as u64;
    Forecast { episodes, standings, to_submit, bytes, expected_sec }
}

impl Forecast {
    /// The plan for people.
    pub(crate) fn text(&self) -> String {
        let of = |word: &str| self.standings.get(word).copied().unwrap_or(0);
        let mut table = Table::default();
        for (word, note) in [
            ("done", "committed with these very settings; nothing is done again without --force"),
            ("submitted", "under way: their end is waited for"),
            ("failed", "`facereel status` says why; --retry hands them over again"),
            ("cancelled", "--retry hands them over again"),
            ("unreadable", "left out"),
            ("new", ""),
        ] {
            if of(word) > 0 {
                table.push([format!("{:>7}", of(word)), word.to_owned(), note.to_owned()]);
            }
        }
        let time = match self.expected_sec {
            Some(sec) => format!("about {} if it goes as the last backfill did", clock(sec)),
            None => "how long it takes is known once the first are done".to_owned(),
        };
        format!(
            "{} episodes\n{}\nto do   {} to hand over, {:.1} GB with those under way; {time}",
            self.episodes,
            table.text(),
            self.to_submit,
            self.bytes as f64 / 1e9
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Candidate;
    use super::super::standing::Standing;
    use super::*;
    use crate::request::tests::asked;
    use facereel_store::MemoryStore;

    fn catalogue() -> Catalogue {
        let candidate = |ep_id, standing| Candidate { asked: asked(ep_id), standing };
        let candidates = vec![
            candidate("A", Standing::Done),
            candidate("B", Standing::New),
            candidate("C", Standing::New),
        ];
        Catalogue { candidates, refused: Vec::new() }
    }

    #[tokio::test]
    async fn the_last_backfill_tells_how_long_this_one_takes() {
        let store = MemoryStore::default();
        assert_eq!(forecast(&catalogue(), Selection::New, None).expected_sec, None);
        LastPace::write(&store, 10.0).await.unwrap();
        let pace = LastPace::read(&store).await.unwrap();
        let plan = forecast(&catalogue(), Selection::New, pace);
        assert_eq!((plan.to_submit, plan.bytes, plan.expected_sec), (2, 2_000, Some(200.0)));
        assert_eq!(forecast(&catalogue(), Selection::All, pace).to_submit, 3);
    }

    #[test]
    fn the_plan_counts_what_there_is_and_nothing_else() {
        let text = forecast(&catalogue(), Selection::New, None).text();
        assert!(text.starts_with("3 episodes\n      1  done"), "{text}");
        assert!(text.contains("      2  new") && !text.contains("cancelled"), "{text}");
        assert!(text.contains("2 to hand over"), "{text}");
    }
}
