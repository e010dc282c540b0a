//! Where videos are handed in: the desk, and what turns a video into a request.

use std::sync::Arc;

use anyhow::Result;
use detector_svc::{Sources, Trust};
use facereel_inference::catalog::ModelsDir;
use facereel_settings::Resolved;

use super::catalogue::Catalogue;
use super::desk::Desk;
use super::entries::Entry;
use crate::request::Recipe;

/// All that handing in needs.
pub(crate) struct Intake {
    /// Store and queues.
    pub(crate) desk: Desk,
    /// Where videos come from.
    pub(crate) sources: Sources,
    recipe: Arc<Recipe>,
}

impl Intake {
    /// Opens everything as the settings say; `client` is the name that the broker shows.
    pub(crate) async fn open(resolved: Resolved, client: &str) -> Result<Self> {
        let runtime = &resolved.settings.runtime;
        let sources = Sources::new(runtime, Trust::CommandLine)?;
        let models = ModelsDir::new(&runtime.models.dir);
        let desk = Desk::open(&resolved, client).await?;
        let recipe = Arc::new(Recipe::new(Arc::new(resolved), &models)?);
        Ok(Self { desk, sources, recipe })
    }

    /// Looks at the videos and at where their runs stand.
    pub(crate) async fn look_at(&self, entries: Vec<Entry>) -> Result<Catalogue> {
        Catalogue::of(entries, (&self.recipe, &self.sources), &self.desk.store).await
    }
}
