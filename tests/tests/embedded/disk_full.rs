//! A full disk stops a run with a clear error; what was finished is used when there is space again.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use facereel_tests::clip::Clip;
use facereel_tests::program::{Call, Ended};
use facereel_tests::results::{Results, entries};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use tempfile::{TempDir, tempdir};

/// A file system in memory of a given size, gone when it is dropped.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where we may not mount.
    fn new(kib: u64) -> Option<Self> {
        let folder = tempdir().expect("a folder");
        let size = CString::new(format!("size={kib}k")).expect("no zero byte");
        mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), size.as_c_str()).ok()?;
        Some(Self { folder })
    }

    fn grow_to(&self, kib: u64) {
        let size = format!("size={kib}k");
        mount_remount(self.path(), MountFlags::empty(), size.as_str()).expect("our own disk can grow");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What can't be unmounted now goes when its last user ends.
        let _ = unmount(self.path(), UnmountFlags::DETACH);
    }
}

fn parts(out: &Path) -> Vec<PathBuf> {
    entries(&Results::of_only_episode(out).run().join("work/detections"))
}

/// Small pieces of work, at most two of them at once, whichever ends first.
fn call(out: &Path) -> Call {
    Call::run(&Clip::of_everything().video(), out).with(&["--workers", "1", "--set", "detect.segment_sec=3"])
}

/// Insists on a clear error without results, but with the parts that were finished before.
fn insist_on_a_full_disk(ended: &Ended, out: &Path) {
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(ended.said.contains("the storage is full; free some space"), "{}", ended.said);
    assert!(!Results::of_only_episode(out).run().join("manifest.json").exists());
    assert!(!parts(out).is_empty(), "nothing was finished before the disk was full");
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_run_continues_when_there_is_space() {
    let Some(disk) = SmallDisk::new(400) else {
        // Without the right to mount, the limit on file sizes below has to do.
        return;
    };
    let out = disk.path().join("data");
    insist_on_a_full_disk(&call(&out).finish(), &out);
    disk.grow_to(64 * 1024);
    call(&out).succeed();
    Call::verify(&out).succeed();
}

#[test]
fn a_limit_on_file_sizes_is_a_clear_error_and_the_run_continues_without_it() {
    let out = tempdir().unwrap();
    // The chips of the first two segments take 157 KiB at most, those of the third 172.
    insist_on_a_full_disk(&call(out.path()).with_files_up_to_kib(165).finish(), out.path());
    call(out.path()).succeed();
    Call::verify(out.path()).succeed();
}
