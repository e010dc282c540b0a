//! The name of a run: a digest over everything that determines its artifacts.

use facereel_domain::digest::Sha256Digest;
use facereel_domain::ids::RunId;
use facereel_domain::source::SourceIdentity;

use super::ModelRecord;

/// The run that these inputs make, wherever and whenever it is asked for: `settings` is the canonical text of the
/// pipeline settings, `models` may come in any order.
///
/// Where the video and the models lie has no part in it.
#[must_use]
pub fn run_id(
    source: &SourceIdentity,
    settings: &str,
    models: &[ModelRecord],
    program_version: &str,
) -> RunId {
    let whole = source.whole_sha256.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
    let mut models: Vec<_> =
        models.iter().map(|model| format!("{} {}\n", model.role, model.sha256)).collect();
    models.sort();
    // Every part is on lines of its own and settings come last, so that no two inputs give the same text.
    let text = format!(
        "program {program_version}\nsource {} {} {whole}\nmodels {}\n{}settings\n{settings}",
        source.size_bytes,
        source.sampled_sha256,
        models.len(),
        models.concat(),
    );
    RunId::from_digest(&Sha256Digest::of(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceIdentity {
        SourceIdentity { size_bytes: 7, sampled_sha256: Sha256Digest::of(b"video"), whole_sha256: None }
    }

    fn model(role: &str, content: &[u8]) -> ModelRecord {
        ModelRecord {
            role: role.to_owned(),
            name: "any".to_owned(),
            sha256: Sha256Digest::of(content),
            licence: "MIT".to_owned(),
        }
    }

    #[test]
    fn the_id_is_the_same_for_the_same_inputs_in_any_order() {
        let (a, b) = (model("detector", b"a"), model("embedder", b"b"));
        let id = run_id(&source(), "x=1\n", &[a.clone(), b.clone()], "0.1.0");
        assert_eq!(id, run_id(&source(), "x=1\n", &[b, a], "0.1.0"));
    }

    #[test]
    fn the_id_changes_with_each_input() {
        let models = [model("detector", b"a")];
        let id = run_id(&source(), "x=1\n", &models, "0.1.0");
        let longer = SourceIdentity { size_bytes: 8, ..source() };
        let other = SourceIdentity { sampled_sha256: Sha256Digest::of(b"other"), ..source() };
        let whole = SourceIdentity { whole_sha256: Some(Sha256Digest::of(b"video")), ..source() };
        for changed in [
            run_id(&longer, "x=1\n", &models, "0.1.0"),
            run_id(&other, "x=1\n", &models, "0.1.0"),
            run_id(&whole, "x=1\n", &models, "0.1.0"),
            run_id(&source(), "x=2\n", &models, "0.1.0"),
            run_id(&source(), "x=1\n", &[model("detector", b"b")], "0.1.0"),
            run_id(&source(), "x=1\n", &[model("embedder", b"a")], "0.1.0"),
            run_id(&source(), "x=1\n", &[], "0.1.0"),
            run_id(&source(), "x=1\n", &models, "0.1.1"),
        ] {
            assert_ne!(changed, id);
        }
    }

    #[test]
    fn where_a_model_is_named_has_no_part_in_the_id() {
        let renamed = ModelRecord { name: "other".to_owned(), ..model("detector", b"a") };
        assert_eq!(
            run_id(&source(), "", &[renamed], "0.1.0"),
            run_id(&source(), "", &[model("detector", b"a")], "0.1.0")
        );
    }
}
