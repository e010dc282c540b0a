//! How much memory there may be, and what the allocator gives back of it.
//!
//! glibc raises the size from which on it maps memory of its own to the largest block that was freed, up to 32 MiB. Frames
//! and tensors of several megabytes then come out of its heaps, between small blocks that live on, and the process grows
//! by half over ten minutes of video. With a fixed size they are mapped one by one and are gone when they are freed.

use std::fs;

/// Where the kernel says what this process's container may take: control groups of version 2, then 1.
const LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
/// Version 1 writes "no limit" as a number beyond all memory.
const BEYOND_ALL_BYTES: u64 = 1 << 60;

/// Bytes that the container of this process may take; `None` without a limit.
#[must_use]
pub fn limit_bytes() -> Option<u64> {
    LIMITS.iter().find_map(|file| limit_in(&fs::read_to_string(file).ok()?))
}

fn limit_in(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < BEYOND_ALL_BYTES)
}

/// Blocks of this size and more are mapped one by one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM_BYTES: i32 = 8 << 20;

/// Makes large blocks go back to the system when they are freed, for the whole process. Call once, before threads start;
/// without effect where the allocator is not glibc's.
#[allow(unsafe_code, reason = "the allocator's settings have no safe call")]
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: plain numbers for the allocator; a refusal leaves things as they were.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 4 * MAPPED_FROM_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_written_in_two_ways() {
        assert_eq!(limit_in("536870912\n"), Some(536_870_912));
        assert_eq!(limit_in("max\n"), None);
        assert_eq!(limit_in("9223372036854771712\n"), None);
    }
}
