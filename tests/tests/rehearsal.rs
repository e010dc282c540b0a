//! A backfill under autoscaling as `deploy/kubernetes` has it: from no replica to some and back to none, with replicas lost
//! on the way.
//!
//! `make bench ARGS=rehearsal` plays the same with more episodes, for the figure in docs/scaling.md.

use std::fs;

use facereel_tests::cluster::Cluster;
use facereel_tests::episode::{Episode, PIECES};
use facereel_tests::fleet::Death;
use facereel_tests::rehearsal::play::Rehearsal;
use facereel_tests::rehearsal::rules;
use rustix::process::Signal;

/// Whether the process stopped as asked: all done, jobs handed back, or before it had begun.
fn is_orderly(death: &Death) -> bool {
    matches!(death.code, Some(0 | 8)) || death.signal == Some(Signal::TERM.as_raw())
}

#[test]
fn a_backfill_that_is_scaled_up_and_down_and_loses_replicas_ends_as_the_program_alone_leaves_it() {
    let cluster = Cluster::new();
    let episodes = Episode::tiny(12);
    let videos: Vec<_> = episodes.iter().map(|episode| cluster.upload(episode)).collect();
    let list = cluster.folder().join("list");
    fs::write(&list, videos.join("\n")).unwrap();
    let deployed = rules::of_overlay("overlays/dev").unwrap();
    let rehearsal = Rehearsal::new(&cluster, deployed, 1).unwrap();

    let backfill = ["backfill", &list.to_string_lossy(), "--no-wait"];
    let mut backfill = cluster.call(&backfill).with(&PIECES).start();
    let (record, fleet) = rehearsal.run(|| backfill.has_ended()).unwrap();
    let backfill = backfill.finish();
    assert_eq!(backfill.code, Some(0), "{}", backfill.said);

    let most = record.most_replicas();
    assert!(most.iter().all(|most| (1..=3).contains(most)) && most.iter().any(|most| *most > 1), "{most:?}");
    assert_eq!(record.looks.last().map(|look| look.replicas.iter().sum::<u32>()), Some(0));
    let (killed, stopped): (Vec<_>, Vec<_>) = fleet.deaths().into_iter().partition(Death::is_kill);
    assert!(!killed.is_empty() && killed.len() == record.losses.len(), "{:?}: {killed:?}", record.losses);
    assert!(stopped.iter().all(is_orderly), "{stopped:?}");
    assert_eq!(cluster.processes(), Vec::<u32>::new());
    cluster.assert_all_done(fleet, &episodes);
}
