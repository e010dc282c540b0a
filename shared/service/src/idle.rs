//! Expensive things that are used by one thread at a time and kept for the next job: model sessions above all.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Idle things by what they can be used for. Clones share them.
#[derive(Debug)]
pub struct IdlePool<K, T> {
    idle: Arc<Mutex<BTreeMap<K, Vec<T>>>>,
}

impl<K: Ord + Clone, T> IdlePool<K, T> {
    /// An idle thing for `key`, or what `make` makes. It goes back when the loan is dropped.
    pub fn take_or<E>(&self, key: &K, make: impl FnOnce() -> Result<T, E>) -> Result<Loan<K, T>, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key).and_then(Vec::pop);
        let thing = match idle {
            Some(thing) => thing,
            None => make()?,
        };
        Ok(Loan { thing: Some(thing), key: key.clone(), pool: self.clone() })
    }
}

impl<K, T> Clone for IdlePool<K, T> {
    fn clone(&self) -> Self {
        Self { idle: Arc::clone(&self.idle) }
    }
}

impl<K, T> Default for IdlePool<K, T> {
    fn default() -> Self {
        Self { idle: Arc::default() }
    }
}

/// A thing on loan.
#[derive(Debug)]
pub struct Loan<K: Ord + Clone, T> {
    /// `None` only while it is being dropped.
    thing: Option<T>,
    key: K,
    pool: IdlePool<K, T>,
}

impl<K: Ord + Clone, T> Deref for Loan<K, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().unwrap_or_else(|| unreachable!("a loan holds its thing until it is dropped"))
    }
}

impl<K: Ord + Clone, T> DerefMut for Loan<K, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().unwrap_or_else(|| unreachable!("a loan holds its thing until it is dropped"))
    }
}

impl<K: Ord + Clone, T> Drop for Loan<K, T> {
    fn drop(&mut self) {
        // What a panicking thread held may be half-changed: it is not given to the next.
        if std::thread::panicking() {
            return;
        }
        if let Some(thing) = self.thing.take() {
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.entry(self.key.clone()).or_default().push(thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_used_again() {
        let pool = IdlePool::<&str, u32>::default();
        drop(pool.take_or(&"yunet", || Ok::<_, ()>(1)).unwrap());
        let first = pool.take_or(&"yunet", || Ok::<_, ()>(2)).unwrap();
        let second = pool.take_or(&"yunet", || Ok::<_, ()>(3)).unwrap();
        let other = pool.take_or(&"centerface", || Ok::<_, ()>(4)).unwrap();
        assert_eq!((*first, *second, *other), (1, 3, 4));
    }

    #[test]
    fn what_a_panic_left_behind_is_not_used_again() {
        let pool = IdlePool::<(), u32>::default();
        let shared = pool.clone();
        let _ = std::thread::spawn(move || {
            let _loan = shared.take_or(&(), || Ok::<_, ()>(1)).unwrap();
            panic!("in the middle");
        })
        .join();
        assert_eq!(*pool.take_or(&(), || Ok::<_, ()>(2)).unwrap(), 2);
    }
}
