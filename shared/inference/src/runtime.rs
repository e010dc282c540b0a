//! The shared library of ONNX Runtime, loaded once a process.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use facereel_domain::settings::{ModelSettings, Provider};
use ort::ep::{self, ExecutionProvider as _};

use crate::InferenceError;
use crate::catalog::ModelsDir;

/// The runtime in use; kept for the rest of the process, since the library can't be loaded a second time.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// What the system's loader is asked for.
const SYSTEM_LIBRARY: &str =
    if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };

/// ONNX Runtime, loaded. Clones are handles of the same library. Sessions that are opened through a handle run on its
/// provider: the CPU, unless [`Runtime::on`] says otherwise.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: ort::environment::Environment,
    library: PathBuf,
    provider: Provider,
}

impl Runtime {
    /// The library that `settings` name, and the folder of the models.
    pub fn from_settings(settings: &ModelSettings) -> Result<(Self, ModelsDir), InferenceError> {
        let models = ModelsDir::new(&settings.dir);
        let library = Some(Path::new(&settings.onnxruntime)).filter(|path| !path.as_os_str().is_empty());
        Ok((Self::load(library, &models)?, models))
    }

    /// Loads the library at `library`; without one the library that `fetch` put into `models`, and where there is none the
    /// system's. A second call for the same library returns the runtime that is loaded already.
    pub fn load(library: Option<&Path>, models: &ModelsDir) -> Result<Self, InferenceError> {
        let wanted = library.map_or_else(|| models.library_path(), Path::to_path_buf);
        let failed = |reason: String| InferenceError::Library { path: wanted.clone(), reason };
        // Absolute, since the loader would look for a bare name in the system's folders: wanted only as the last resort.
        let path = match (library, wanted.canonicalize()) {
            (_, Ok(path)) => path,
            (Some(_), Err(e)) => return Err(failed(e.to_string())),
            (None, Err(_)) => PathBuf::from(SYSTEM_LIBRARY),
        };
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            return if runtime.library == path {
                Ok(runtime.clone())
            } else {
                Err(InferenceError::LibraryConflict { loaded: runtime.library.clone(), asked: path })
            };
        }
        let builder = ort::init_from(&path).map_err(|e| failed(e.to_string()))?;
        let environment =
            builder.with_name("facereel").with_telemetry(false).build().map_err(|e| failed(e.to_string()))?;
        let runtime = Self { environment, library: path, provider: Provider::Cpu };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// A handle whose sessions run on `provider`. Refused where the library was built without it; whether a card is there
    /// shows when a session is opened. Nothing ever falls back to another provider.
    pub fn on(&self, provider: Provider) -> Result<Self, InferenceError> {
        // What the library can't tell it does not have.
        if provider == Provider::Cuda && !ep::CUDA::is_available().unwrap_or(false) {
            return Err(InferenceError::NoCuda { library: self.library.clone() });
        }
        Ok(Self { provider, ..self.clone() })
    }

    /// The library's path.
    #[must_use]
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The library's version and build, as it tells them.
    #[must_use]
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    pub(crate) fn provider(&self) -> Provider {
        self.provider
    }

    pub(crate) fn environment(&self) -> &ort::environment::Environment {
        &self.environment
    }
}
