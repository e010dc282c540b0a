//! Films with people of one's own: `facereel bench synth --people`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use facereel_tests::media::{ffmpeg, photos};
use facereel_tests::program::Call;
use tempfile::{TempDir, tempdir};

/// Left upper corners of 240 x 280 pixels around each face of the group photo.
const GROUP: [[u32; 2]; 6] = [[0, 180], [208, 60], [406, 190], [686, 250], [848, 0], [1040, 190]];

/// The people of the packages' photos as somebody else would have them: a folder for each, one or more files in it.
fn people() -> TempDir {
    let folder = tempdir().expect("a folder");
    let photo = |name: &str| photos().join(name).display().to_string();
    let make = |person: &str, arguments: &str| {
        let of_person = folder.path().join(person);
        fs::create_dir_all(&of_person).expect("a folder");
        ffmpeg(&of_person, arguments);
    };
    for (i, [x, y]) in GROUP.iter().enumerate() {
        let cut = format!("-i {} -vf crop=240:280:{x}:{y} -frames:v 1 face.png", photo("t1.jpg"));
        make(&format!("player-{i}"), &cut);
    }
    let astronaut = photo("astronaut.png");
    make("astronaut", &format!("-i {astronaut} -frames:v 1 a.png"));
    make("astronaut", &format!("-i {astronaut} -vf eq=brightness=-0.1 -frames:v 1 b.jpg"));
    make("portrait", &format!("-i {} -vf pad=200:200:50:50 -frames:v 1 p.png", photo("Tom_Hanks_54745.png")));
    make("caller", &format!("-i {} -vf fps=1,scale=352:-2 c%d.jpg", photo("carphone_pristine.mp4")));
    folder
}

fn synth(people: &Path, out: &Path) -> Call {
    let words = "bench synth --preset test --seconds 40 --size 320x180 --people";
    let paths = [people.to_owned(), "--out".into(), out.to_owned()];
    Call::new(words.split(' ').map(PathBuf::from).chain(paths))
}

#[test]
fn everybody_is_shown_from_each_of_their_photos() {
    let (people, out) = (people(), tempdir().unwrap());
    fs::write(people.path().join("caller/broken.jpg"), b"no picture").unwrap();
    fs::write(people.path().join("caller/notes.txt"), b"no photo at all").unwrap();
    let ended = synth(people.path(), out.path()).succeed();
    assert!(ended.said.contains("passed over") && ended.said.contains("broken.jpg"));
    assert!(!ended.said.contains("notes.txt"), "{}", ended.said);

    let identities = fs::read_to_string(out.path().join("identities.csv")).unwrap();
    let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in identities.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        shown.entry(cells[2]).or_default().insert(cells[3]);
    }
    assert_eq!(shown.len(), 9, "{identities}");
    assert_eq!(shown["astronaut"], BTreeSet::from(["astronaut/a.png", "astronaut/b.jpg"]));
    assert_eq!(shown["caller"].len(), 4, "{identities}");
}

#[test]
fn too_few_people_are_refused_with_what_to_do() {
    let (people, out) = (people(), tempdir().unwrap());
    fs::remove_dir_all(people.path().join("player-3")).unwrap();
    let ended = synth(people.path(), out.path()).finish();
    assert_ne!(ended.code, Some(0));
    assert!(ended.said.contains("8 people are too few, 9 are needed"), "{}", ended.said);
    assert!(ended.said.contains("a folder for each person"), "{}", ended.said);
    assert!(!out.path().join("clip.mp4").exists());
}
