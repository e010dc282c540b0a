//! Files that hold anything but what they should, though every digest fits.

use facereel_domain::layout::RunLayout;
use facereel_store::Store;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use crate::damage::{DETECTIONS, FACES, INDEX, METRICS, Run, SHOTS, TRACKS};

#[rstest]
#[case(DETECTIONS)]
#[case(TRACKS)]
#[case(FACES)]
#[case(SHOTS)]
#[case(METRICS)]
#[case(INDEX)]
#[tokio::test]
async fn another_version_another_episode_and_another_field_are_named(#[case] path: &str) {
    for (field, value, what) in [
        ("schema_version", json!(2), "schema_version 2 is unknown to this program, which reads 1"),
        ("ep_id", json!("OTHER"), "it is of episode 'OTHER', not of 'TEST-S01E01'"),
        ("surprise", json!(1), "unknown field `surprise`"),
    ] {
        let run = Run::good().await;
        run.edit((path, 1), |row| row[field] = value).await;
        run.assert_problem(path, what).await;
    }
}

#[tokio::test]
async fn a_newer_version_is_named_as_such_also_where_its_fields_are_unknown() {
    let run = Run::good().await;
    run.edit((TRACKS, 1), |row| *row = json!({"schema_version": 3, "shape": "round"})).await;
    run.assert_problem(TRACKS, "line 1: schema_version 3 is unknown").await;
}

#[rstest]
#[case("not json")]
#[case("{}")]
#[case("[1]")]
#[case(r#"{"schema_version": 1e999}"#)]
#[case(r#"{"schema_version": 99999999999999999999999999}"#)]
#[case(r#"{"schema_version": 1, "ep_id": "TEST-S01E01", "frame_idx": -1}"#)]
#[tokio::test]
async fn a_line_that_is_no_row_is_named_with_its_number(#[case] line: &str) {
    for path in [DETECTIONS, TRACKS, FACES, SHOTS] {
        let run = Run::good().await;
        let text = String::from_utf8(run.read(path).await.to_vec()).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        run.write(path, format!("{first}\n{line}\n{rest}")).await;
        run.sign(path, None).await;
        run.assert_problem(path, "line 2: it can't be read").await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_and_nesting_without_end_are_named() {
    for garbage in [vec![0xFF; 300], b"[".repeat(100_000), vec![0; 300]] {
        let run = Run::good().await;
        for path in [DETECTIONS, TRACKS, FACES, SHOTS, METRICS, INDEX] {
            run.write(path, [&garbage[..], b"\n"].concat()).await;
            run.sign(path, None).await;
        }
        for path in [DETECTIONS, TRACKS, FACES, SHOTS, METRICS, INDEX] {
            run.assert_problem(path, "it can't be read").await;
        }
    }
}

#[tokio::test]
async fn a_file_that_ends_in_the_middle_of_a_line_is_named() {
    let run = Run::good().await;
    let good = run.read(FACES).await;
    run.write(FACES, good.slice(..good.len() - 40)).await;
    run.sign(FACES, None).await;
    run.assert_problem(FACES, "it was cut off").await;
}

#[tokio::test]
async fn one_fault_in_every_row_gives_a_short_list() {
    let run = Run::good().await;
    let text = String::from_utf8(run.read(DETECTIONS).await.to_vec()).unwrap();
    run.write(DETECTIONS, text.replace(r#""schema_version":1"#, r#""schema_version":2"#)).await;
    run.sign(DETECTIONS, None).await;
    let problems = run.report().await.problems;
    assert!(problems.len() < 30, "{}", problems.len());
    run.assert_problem(DETECTIONS, "more problems of this file").await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever stands in a file, signed or not: a report, never a panic.
    #[test]
    fn any_bytes_anywhere_give_a_report(
        file in 0_usize..200,
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let run = Run::good().await;
            let objects = run.store.list("").await.unwrap();
            let key = &objects[file % objects.len()].key;
            let path = RunLayout::new(&run.run).relative(key);
            let mut content = run.store.get(key).await.unwrap().to_vec();
            let start = at.index(content.len());
            content.splice(start..(start + bytes.len()).min(content.len()), bytes);
            run.store.put(key, content.into()).await.unwrap();
            if ["manifests/", "embeds/", "frames/"].iter().any(|folder| path.starts_with(folder)) {
                run.sign(&path, None).await;
            }
            run.report().await;
        });
    }

    /// Numbers beyond all reason in any field.
    #[test]
    fn absurd_numbers_give_a_report(
        path in prop::sample::select(&[DETECTIONS, TRACKS, FACES, SHOTS, INDEX][..]),
        field in any::<prop::sample::Index>(),
        number in prop::sample::select(&[0.0, -1.0, 4_294_967_295.0, 18_446_744_073_709_551_615.0, 1e300][..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let run = Run::good().await;
            run.edit((path, 1), |row| {
                let fields = row.as_object_mut().unwrap();
                let name = fields.keys().nth(field.index(fields.len())).unwrap().clone();
                let whole = (0.0..1e20).contains(&number);
                fields[&name] = if whole { json!(number as u64) } else { json!(number) };
            })
            .await;
            run.report().await;
        });
    }
}
