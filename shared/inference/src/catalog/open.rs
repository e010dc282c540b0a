//! Models by name or path, their files verified.

use std::path::{Path, PathBuf};

use facereel_domain::digest::Sha256Digest;

use super::check::digest_of;
use super::{CatalogError, ENTRIES, Entry, ModelsDir, Role};
use crate::spec::{DetectorSpec, EmbedderSpec};
use crate::{Model, ModelIdentity};

/// A model that the user brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomModel {
    /// The ONNX file.
    pub path: PathBuf,
    /// The digest it must have; without one any content is taken (and its digest recorded).
    pub sha256: Option<Sha256Digest>,
}

/// What is recorded as the licence of a model that the user brings.
const UNKNOWN_LICENCE: &str = "unknown";

/// The detector named `name` in the catalog.
pub fn open_detector(models: &ModelsDir, name: &str) -> Result<Model<DetectorSpec>, CatalogError> {
    let spec_of = |role: &Role| match role {
        Role::Detector(spec) => Some(spec.clone()),
        Role::Runtime | Role::Embedder(_) => None,
    };
    open(models, ("detector", name), spec_of)
}

/// The embedder named `name` in the catalog.
pub fn open_embedder(models: &ModelsDir, name: &str) -> Result<Model<EmbedderSpec>, CatalogError> {
    let spec_of = |role: &Role| match role {
        Role::Embedder(spec) => Some(spec.clone()),
        Role::Runtime | Role::Detector(_) => None,
    };
    open(models, ("embedder", name), spec_of)
}

/// A model from a file of the user's, to be spoken to as `spec` says.
pub fn open_custom<S>(custom: &CustomModel, spec: S) -> Result<Model<S>, CatalogError> {
    let path = &custom.path;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let model = Model { identity: identity(path, &name, UNKNOWN_LICENCE)?, spec, path: path.clone() };
    match custom.sha256 {
        Some(expected) if expected != model.identity.sha256 => Err(CatalogError::Digest {
            path: path.clone(),
            actual: model.identity.sha256.to_string(),
            expected: expected.to_string(),
            advice: "use the file that the settings mean, or correct the digest there",
        }),
        _ => Ok(model),
    }
}

fn open<S>(
    models: &ModelsDir,
    (kind, name): (&'static str, &str),
    spec_of: impl Fn(&Role) -> Option<S>,
) -> Result<Model<S>, CatalogError> {
    let of_kind = || ENTRIES.iter().filter_map(|e| Some((e, spec_of(&e.role)?)));
    let Some((entry, spec)) = of_kind().find(|(e, _)| e.name == name) else {
        let known = of_kind().map(|(e, _)| e.name).collect::<Vec<_>>().join(", ");
        return Err(CatalogError::Unknown { kind, name: name.to_owned(), known });
    };
    verified(models, entry, spec)
}

fn verified<S>(models: &ModelsDir, entry: &'static Entry, spec: S) -> Result<Model<S>, CatalogError> {
    let path = models.file(entry);
    if !path.exists() {
        return Err(CatalogError::Missing { path });
    }
    let identity = identity(&path, entry.name, entry.licence)?;
    let actual = identity.sha256.to_string();
    if actual == entry.sha256 {
        return Ok(Model { identity, spec, path });
    }
    let advice = "run `facereel models fetch` to replace it";
    Err(CatalogError::Digest { path, actual, expected: entry.sha256.to_owned(), advice })
}

/// What the file at `path` is; its digest is taken here.
fn identity(path: &Path, name: &str, licence: &str) -> Result<ModelIdentity, CatalogError> {
    let sha256 = digest_of(path).map_err(CatalogError::io("read", path))?;
    Ok(ModelIdentity { name: name.to_owned(), sha256, licence: licence.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_missing_model_tells_how_to_get_it() {
        let empty = tempfile::tempdir().unwrap();
        let error = open_detector(&ModelsDir::new(empty.path()), "yunet").unwrap_err();
        assert!(error.to_string().contains("facereel models fetch"), "{error}");
    }

    #[test]
    fn an_unknown_name_tells_the_known_ones_of_its_kind() {
        let error = open_embedder(&ModelsDir::new("nowhere"), "yunet").unwrap_err();
        assert_eq!(error.to_string(), "there is no embedder named 'yunet'; there are: sface");
    }

    #[test]
    fn a_custom_model_with_another_digest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.onnx");
        fs::write(&path, b"model").unwrap();
        let wrong = Some(Sha256Digest::of(b"another"));
        let mut custom = CustomModel { path, sha256: wrong };
        assert!(matches!(open_custom(&custom, ()), Err(CatalogError::Digest { .. })));
        custom.sha256 = None;
        let model = open_custom(&custom, ()).unwrap();
        assert_eq!((model.identity.name.as_str(), model.identity.licence.as_str()), ("mine.onnx", "unknown"));
        assert_eq!(model.identity.sha256, Sha256Digest::of(b"model"));
    }
}
