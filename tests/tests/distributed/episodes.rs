//! Nothing goes wrong.

use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;

#[test]
fn episodes_from_a_bucket_and_a_folder_end_as_the_program_alone_leaves_them() {
    let cluster = Cluster::new();
    let episodes = Episode::first(3);
    let fleet = cluster.full_fleet();
    cluster.submit_all(&episodes[..2]);
    cluster.submit(&cluster.copy(&episodes[2]).to_string_lossy());
    cluster.wait_for(&episodes);
    assert_eq!(fleet.deaths(), []);
    cluster.assert_all_done(fleet, &episodes);
}
