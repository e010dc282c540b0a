//! Where graphics cards are asked for: by the stages that run models, and with all that belongs to it.

use serde_json::json;

use crate::manifests::{Object, objects};

/// The resource, the label and the taint have the same beginning.
const CARD: &str = "nvidia.com/gpu";

fn deployments() -> Vec<Object> {
    objects("overlays/gpu").into_iter().filter(|object| object.kind() == "Deployment").collect()
}

fn worker(deployment: &Object) -> Object {
    deployment.containers().next().expect("a Deployment has a container")
}

fn asks_for_a_card(deployment: &Object) -> bool {
    !worker(deployment).at("/resources/limits")[CARD].is_null()
}

#[test]
fn those_that_run_models_get_a_card_and_nobody_else() {
    let deployments = deployments();
    let with_cards: Vec<_> = deployments.iter().filter(|d| asks_for_a_card(d)).map(Object::name).collect();
    assert_eq!(with_cards, ["facereel-detector", "facereel-embedder"]);
}

#[test]
fn whoever_gets_a_card_runs_where_cards_are_with_the_image_for_it_and_makes_it_ready() {
    for deployment in deployments() {
        let container = worker(&deployment);
        let variables = container.list("/env").iter();
        let providers = variables.filter(|v| v["name"].as_str().is_some_and(|n| n.ends_with("__PROVIDER")));
        let providers: Vec<_> = providers.map(|variable| variable["value"].clone()).collect();
        let image_is_for_it = container.text("/image").contains("-gpu@");
        let tolerates = deployment.list("/spec/template/spec/tolerations").iter().any(|t| t["key"] == CARD);
        let selects =
            deployment.at("/spec/template/spec/nodeSelector") == &json!({"nvidia.com/gpu.present": "true"});
        let is_ready_for_it = providers == [json!("cuda")] && image_is_for_it && tolerates && selects;
        let knows_nothing_of_it = providers.is_empty() && !image_is_for_it && !tolerates && !selects;
        let wanted = if asks_for_a_card(&deployment) { is_ready_for_it } else { knows_nothing_of_it };
        assert!(wanted, "{}", deployment.title());
    }
}
