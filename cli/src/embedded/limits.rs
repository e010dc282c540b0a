//! Threads of a run beside those that compute.

/// Threads of the runtime for calls to the file system, which wait more than they work.
pub(crate) const FILE_THREADS: usize = 1;
