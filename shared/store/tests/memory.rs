//! The store in memory: the suite that all stores pass.

use std::sync::Arc;

use facereel_store::{MemoryStore, Store};

fn fresh() -> (Arc<dyn Store>, ()) {
    (Arc::new(MemoryStore::default()), ())
}

facereel_store::store_conformance!(fresh());
