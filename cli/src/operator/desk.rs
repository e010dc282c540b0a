//! The store and the queues that an operator works with.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use facereel_domain::settings::QueueSettings;
use facereel_queue::Queue;
use facereel_settings::{Resolved, SettingsError, Source, redacted};
use facereel_store::Store;

use crate::store;

/// Where runs lie and where their jobs wait.
pub(crate) struct Desk {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// The queues, shared with the services.
    pub(crate) queue: Arc<dyn Queue>,
}

impl Desk {
    /// Opens both as the settings say; `client` is the name that the broker shows.
    pub(crate) async fn open(resolved: &Resolved, client: &str) -> Result<Self> {
        refuse_private_queue(resolved)?;
        let store = open_store(resolved).await?;
        let queue = facereel_queue::open(&resolved.settings.runtime.queue, client).await?;
        Ok(Self { store, queue })
    }
}

/// The store of the settings.
pub(crate) async fn open_store(resolved: &Resolved) -> Result<Arc<dyn Store>> {
    store::open_settings(&resolved.settings.runtime.store).await
}

/// A queue that ends with this process would take jobs that nobody ever does.
pub(crate) fn refuse_private_queue(resolved: &Resolved) -> Result<(), SettingsError> {
    let url = &resolved.settings.runtime.queue.url;
    if url != &QueueSettings::default().url {
        return Ok(());
    }
    Err(SettingsError::NotAllowed {
        path: "queue.url".to_owned(),
        value: redacted(url).into_owned(),
        allowed:
            "amqp://user:password@host:port/vhost in this command, where the services take their jobs from"
                .to_owned(),
        source_of: resolved.sources.get("queue.url").cloned().unwrap_or(Source::Default),
    })
}

/// Runs `work` to its end. All that these commands do is to wait for servers.
pub(crate) fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the runtime can't be started")?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use facereel_settings::{Loader, Override};

    #[test]
    fn a_queue_that_nobody_else_sees_is_refused_with_what_to_set() {
        let error = refuse_private_queue(&Loader::new().load().unwrap()).unwrap_err();
        assert!(error.to_string().contains("amqp://"), "{error}");
        assert_eq!(Exit::of(&error.into()), Exit::Usage);
        let shared = Override::assignment("queue.url=amqp://rabbit").unwrap();
        assert!(refuse_private_queue(&Loader::new().overrides([shared]).load().unwrap()).is_ok());
    }
}
