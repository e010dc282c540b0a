//! What the allocator gives back.
//!
//! glibc raises the size from which on it maps memory of its own to the largest block that was freed, up to 32 MiB. Frames
//! and tensors of several megabytes then come out of its heaps, between small blocks that live on, and the process grows
//! by half over ten minutes of video. With a fixed size they are mapped one by one and are gone when they are freed.

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
