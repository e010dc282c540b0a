//! Named threads for blocking work: decoding, inference, JPEG. Their number is the process's share of the CPU.
//!
//! Blocking work never runs on the async runtime's threads, and there is one pool a process, whatever stages it runs:
//! so its native threads stay within the limit however the work is spread over stages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

type Task = Box<dyn FnOnce() + Send>;

/// A bounded set of threads that run closures one after another. Clones share the threads, which end when the last
/// clone is gone.
#[derive(Clone)]
pub struct ComputePool {
    tasks: mpsc::Sender<Task>,
    threads: usize,
}

/// Why a closure has no result.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The closure panicked.
    #[error("a computation panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The pool's threads are gone.
    #[error("the compute threads have ended")]
    Closed,
}

impl ComputePool {
    /// A pool of `threads` (at least one) threads named `NAME-0`, `NAME-1` and so on.
    pub fn new(name: &str, threads: usize) -> std::io::Result<Self> {
        let threads = threads.max(1);
        // As many closures wait as run: enough that no thread idles, few enough that callers feel the limit.
        let (tasks, queue) = mpsc::channel::<Task>(threads);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || run_tasks(&queue))?;
        }
        Ok(Self { tasks, threads })
    }

    /// How many closures run at once.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` on one of the threads and returns what it returns. Waits for a free place first.
    ///
    /// Dropping the future does not stop work that has begun; long work watches its own cancellation token.
    pub async fn run<T, F>(&self, work: F) -> Result<T, ComputeError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        // What is logged over there belongs to the same job.
        let span = Span::current();
        let task: Task = Box::new(move || {
            // State that the closure owns is dropped with it, so nothing half-changed is seen afterwards.
            let outcome = catch_unwind(AssertUnwindSafe(|| span.in_scope(work)));
            // Nobody waits any more when the caller's future was dropped.
            let _ = reply.send(outcome);
        });
        self.tasks.send(task).await.map_err(|_| ComputeError::Closed)?;
        match result.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(ComputeError::Panicked { message: panic_message(panic.as_ref()) }),
            Err(_) => Err(ComputeError::Closed),
        }
    }
}

fn run_tasks(queue: &Mutex<mpsc::Receiver<Task>>) {
    loop {
        // The lock is held while waiting: one thread waits in the queue, the others for the lock. A task is never run
        // under it, so it can't be poisoned by one.
        let task = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match task {
            Some(task) => task(),
            None => return,
        }
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[tokio::test]
    async fn closures_run_side_by_side_up_to_the_number_of_threads() {
        let pool = ComputePool::new("test", 2).unwrap();
        let barrier = Arc::new(Barrier::new(2));
        let meet = |b: Arc<Barrier>| move || b.wait().is_leader();
        // Each waits for the other: with one thread this would never end.
        let (a, b) = tokio::join!(pool.run(meet(barrier.clone())), pool.run(meet(barrier)));
        assert!(a.unwrap() ^ b.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_goes_on() {
        let pool = ComputePool::new("test", 1).unwrap();
        let error = pool.run(|| panic!("no such frame")).await.map(|(): ()| ()).unwrap_err();
        assert!(error.to_string().contains("no such frame"));
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn threads_carry_the_pools_name() {
        let pool = ComputePool::new("compute", 1).unwrap();
        let name = pool.run(|| thread::current().name().map(str::to_owned)).await.unwrap();
        assert_eq!(name.as_deref(), Some("compute-0"));
    }
}
