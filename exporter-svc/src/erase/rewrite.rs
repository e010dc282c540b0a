//! Files without the faces of some tracks: bytes in, bytes out. What is not about these tracks stays byte for byte.

use std::collections::BTreeSet;

use facereel_domain::ids::TrackId;
use facereel_domain::layout::RunLayout;
use serde::Deserialize;

use super::record::ZeroedRows;
use crate::manifests::TrackRow;
use crate::npy::{self, NpyError};

/// What is cut out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    pub(super) tracks: &'a BTreeSet<TrackId>,
    pub(super) rows: &'a ZeroedRows,
}

/// Why a file can't be rewritten.
#[derive(Debug, thiserror::Error)]
pub(super) enum Spoilt {
    #[error("has a line that is no row")]
    Row(#[from] serde_json::Error),
    #[error("has a last line that does not end")]
    CutOff,
    #[error("can't be read ({0})")]
    Vectors(#[from] NpyError),
}

/// What tells whose a row is.
#[derive(Deserialize)]
struct Owned {
    track_id: Option<TrackId>,
    #[serde(default)]
    embedding_row: Option<u64>,
}

/// The paths of the files that hold something of every track in one.
pub(super) fn shared_files(layout: &RunLayout) -> [String; 5] {
    [
        layout.detections_jsonl(),
        layout.faces_jsonl(),
        layout.tracks_jsonl(),
        layout.faces_npy(),
        layout.tracks_npy(),
    ]
    .map(|key| layout.relative(&key))
}

/// One of the [`shared_files`] as it is after the cut.
pub(super) fn rewritten(path: &str, bytes: &[u8], cut: Cut<'_>) -> Result<Vec<u8>, Spoilt> {
    match path.rsplit('/').next().unwrap_or(path) {
        "tracks.jsonl" => with_tombstones(bytes, cut.tracks),
        "faces.npy" => Ok(npy::with_zeroed_rows(bytes, &cut.rows.faces)?),
        "tracks.npy" => Ok(npy::with_zeroed_rows(bytes, &cut.rows.tracks)?),
        _ => without_rows(bytes, cut.tracks),
    }
}

/// The rows that vectors of these tracks have, by a file that refers to them.
pub(super) fn rows_of_vectors(jsonl: &[u8], tracks: &BTreeSet<TrackId>) -> Result<Vec<u64>, Spoilt> {
    let mut rows = Vec::new();
    for line in lines(jsonl)? {
        let row: Owned = serde_json::from_slice(line)?;
        rows.extend(row.embedding_row.filter(|_| is_of(&row, tracks)));
    }
    Ok(rows)
}

/// Rows of a `.jsonl` file.
pub(super) fn count_rows(jsonl: &[u8]) -> u64 {
    // After the last line comes what is no row.
    jsonl.split(|byte| *byte == b'\n').count() as u64 - 1
}

fn without_rows(jsonl: &[u8], tracks: &BTreeSet<TrackId>) -> Result<Vec<u8>, Spoilt> {
    let mut kept = Vec::with_capacity(jsonl.len());
    for line in lines(jsonl)? {
        if !is_of(&serde_json::from_slice(line)?, tracks) {
            kept.extend_from_slice(line);
            kept.push(b'\n');
        }
    }
    Ok(kept)
}

/// Row n is track n, whatever was erased: such a row keeps its place, its number and its shot.
fn with_tombstones(jsonl: &[u8], tracks: &BTreeSet<TrackId>) -> Result<Vec<u8>, Spoilt> {
    let mut kept = Vec::with_capacity(jsonl.len());
    for line in lines(jsonl)? {
        if is_of(&serde_json::from_slice(line)?, tracks) {
            let row: TrackRow = serde_json::from_slice(line)?;
            serde_json::to_writer(&mut kept, &row.tombstone())?;
        } else {
            kept.extend_from_slice(line);
        }
        kept.push(b'\n');
    }
    Ok(kept)
}

fn is_of(row: &Owned, tracks: &BTreeSet<TrackId>) -> bool {
    row.track_id.is_some_and(|track| tracks.contains(&track))
}

fn lines(jsonl: &[u8]) -> Result<impl Iterator<Item = &[u8]>, Spoilt> {
    let text = match jsonl.strip_suffix(b"\n") {
        Some(text) => Some(text),
        None if jsonl.is_empty() => None,
        None => return Err(Spoilt::CutOff),
    };
    Ok(text.into_iter().flat_map(|text| text.split(|byte| *byte == b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_ROWS: ZeroedRows = ZeroedRows { faces: Vec::new(), tracks: Vec::new() };

    fn of(tracks: &[u32]) -> BTreeSet<TrackId> {
        tracks.iter().copied().map(TrackId).collect()
    }

    fn track_row(id: u32) -> String {
        format!(
            r#"{{"schema_version":1,"ep_id":"EP","track_id":{id},"shot":2,"first_frame_idx":6,"last_frame_idx":12,"first_ts":0.25,"last_ts":0.5,"frame_count":2,"conf_mean":0.9,"quality_mean":0.5,"bboxes_sampled":[{{"frame_idx":6,"ts":0.25,"bbox_xyxy":[1.0,2.0,3.0,4.0]}}],"crop_count":1,"embedding_row":{},"embedding_model":"sface","cohesion":1.0,"split_from":null}}"#,
            id - 1
        )
    }

    #[test]
    fn an_erased_track_keeps_number_and_shot_and_nothing_else() {
        let rows = format!("{}\n{}\n", track_row(1), track_row(2));
        let cut = Cut { tracks: &of(&[1]), rows: &NO_ROWS };
        let text = String::from_utf8(rewritten("manifests/tracks.jsonl", rows.as_bytes(), cut).unwrap());
        let text = text.unwrap();
        let (first, second) = text.trim_end().split_once('\n').unwrap();
        assert_eq!(second, track_row(2), "another track's row changed");
        assert_eq!(
            first,
            r#"{"schema_version":1,"ep_id":"EP","track_id":1,"shot":2,"first_frame_idx":0,"last_frame_idx":0,"first_ts":0.0,"last_ts":0.0,"frame_count":0,"conf_mean":0.0,"quality_mean":0.0,"bboxes_sampled":[],"crop_count":0,"embedding_row":null,"embedding_model":null,"cohesion":null,"split_from":null,"erased":true}"#
        );
        let again = rewritten("manifests/tracks.jsonl", text.as_bytes(), cut).unwrap();
        assert_eq!(again, text.as_bytes(), "erasing twice changes nothing");
    }

    #[test]
    fn rows_tell_which_vectors_are_theirs() {
        let faces = b"{\"track_id\":1,\"embedding_row\":0}\n{\"track_id\":2,\"embedding_row\":1}\n{\"track_id\":1,\"embedding_row\":null}\n";
        assert_eq!(rows_of_vectors(faces, &of(&[1])).unwrap(), [0]);
        assert_eq!(rows_of_vectors(faces, &of(&[1, 2])).unwrap(), [0, 1]);
        assert!(rows_of_vectors(b"", &of(&[1])).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_can_t_be_read_is_left_alone() {
        let cut = Cut { tracks: &of(&[1]), rows: &NO_ROWS };
        for bad in [b"{\"track_id\":1}".as_slice(), b"nonsense\n", b"\n"] {
            assert!(rewritten("manifests/faces.jsonl", bad, cut).is_err());
        }
        assert!(rewritten("embeds/faces.npy", b"nonsense", cut).is_err());
    }

    proptest! {
        #[test]
        fn rows_of_others_stay_byte_for_byte_and_in_order(owners in proptest::collection::vec(proptest::option::of(1_u32..5), 0..30), erased in 1_u32..5) {
            let line = |(n, owner): (usize, &Option<u32>)| {
                let owner = owner.map_or("null".to_owned(), |id| id.to_string());
                format!("{{ \"n\": {n},  \"track_id\":{owner} }}\n")
            };
            let all: Vec<String> = owners.iter().enumerate().map(line).collect();
            let kept: String = all.iter().zip(&owners).filter(|(_, owner)| **owner != Some(erased)).map(|(line, _)| line.as_str()).collect();
            let cut = Cut { tracks: &of(&[erased]), rows: &NO_ROWS };
            let found = rewritten("manifests/detections.jsonl", all.concat().as_bytes(), cut).unwrap();
            prop_assert_eq!(count_rows(&found), kept.lines().count() as u64);
            prop_assert_eq!(String::from_utf8(found).unwrap(), kept);
        }
    }
}
