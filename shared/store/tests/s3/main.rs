//! The store in a bucket: the suite that all stores pass on a real server, and what only an S3 store can suffer.
//!
mod faults;
mod objects;
mod rig;
mod sources;
mod trust;

use std::sync::Arc;

use facereel_store::Store;
use facereel_store::conformance::{self, Outcome};
use tokio::task::JoinSet;

use rig::Rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_keeps_every_promise_of_a_store() -> Outcome {
    let rig = Rig::new();
    let mut checks = JoinSet::new();
    macro_rules! check {
        ($($promise:ident),* $(,)?) => {
            $(
                let name = stringify!($promise);
                let store: Arc<dyn Store> = Arc::new(rig.store(&format!("conformance/{name}")).await);
                checks.spawn(async move { (name, conformance::$promise(store).await) });
            )*
        };
    }
    facereel_store::store_promises!(check);
    while let Some(checked) = checks.join_next().await {
        let (name, kept) = checked?;
        kept.map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}
