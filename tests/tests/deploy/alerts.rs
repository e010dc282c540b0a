//! Alerts and dashboard ask for metrics that exist; alerts say what they should, and each has a page that helps.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use facereel_tests::repository;
use serde_json::{Value, json};

use crate::manifests::{deploy, documents};

/// What RabbitMQ's own exporter says.
const OF_THE_BROKER: [&str; 3] = [
    "rabbitmq_detailed_queue_messages",
    "rabbitmq_detailed_queue_messages_ready",
    "rabbitmq_detailed_queue_messages_unacked",
];

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rules as Prometheus itself takes them.
fn rules() -> Value {
    let mut documents = documents(&read(&deploy("observability/alerts.yaml")));
    assert_eq!(documents.len(), 1);
    documents.remove(0)["spec"].take()
}

fn alerts() -> Vec<Value> {
    let rules = rules();
    let groups = rules["groups"].as_array().expect("rules come in groups").iter();
    groups.flat_map(|group| group["rules"].as_array().expect("a group has rules").clone()).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(&deploy("observability/dashboard.json"))).expect("the dashboard is JSON")
}

/// The queries of the dashboard with the panel they belong to.
fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("a dashboard has panels").clone();
    let targets = |panel: &Value| {
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |t| (title.clone(), t["expr"].as_str().unwrap_or_default().to_owned()))
    };
    panels.iter().flat_map(targets).collect()
}

/// What `promtool` says of files in a folder of their own, and whether it agrees.
fn promtool(arguments: &[&str], files: &[(&str, String)]) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the folder can be written");
    }
    let output = Command::new("promtool").args(arguments).current_dir(&folder).output();
    let output = output.expect("promtool is there: `make test` installs it (Debian's package prometheus)");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn alerts_say_what_they_should_on_made_up_series() {
    let tests = read(&deploy("observability/alerts.test.yaml"));
    let files = [("rules.yaml", rules().to_string()), ("alerts.test.yaml", tests)];
    let (is_fine, said) = promtool(&["test", "rules", "alerts.test.yaml"], &files);
    assert!(is_fine, "{said}");
}

#[test]
fn every_alert_is_tried_both_ways_or_at_least_once() {
    let tests = read(&deploy("observability/alerts.test.yaml"));
    let tests = documents(&tests).remove(0);
    let cases = tests["tests"].as_array().expect("there are tests").iter();
    let tried: BTreeSet<_> = cases
        .flat_map(|case| case["alert_rule_test"].as_array().cloned().unwrap_or_default())
        .filter(|test| test["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty()))
        .map(|test| test["alertname"].as_str().unwrap_or_default().to_owned())
        .collect();
    let names: BTreeSet<_> =
        alerts().iter().map(|a| a["alert"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(tried, names);
}

#[test]
fn queries_of_the_dashboard_can_be_read_by_prometheus() {
    let queries = queries();
    assert!(queries.len() > 15, "only {} queries were found", queries.len());
    let record = |(_, query): &(String, String)| json!({ "record": "dashboard", "expr": query });
    // Rules of a group must differ, so each query gets one of its own.
    let group = |(number, query)| json!({ "name": format!("query {number}"), "rules": [record(query)] });
    let rules = json!({ "groups": queries.iter().enumerate().map(group).collect::<Vec<_>>() });
    let (is_fine, said) = promtool(&["check", "rules", "rules.yaml"], &[("rules.yaml", rules.to_string())]);
    assert!(is_fine, "{said}");
}

/// Names of metrics in a query, as the code knows them: without what a histogram's series have at their ends.
fn metrics_in(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names =
        words.filter(|w| ["facereel_", "rabbitmq_", "process_"].iter().any(|start| w.starts_with(start)));
    let base = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    names.map(base).collect()
}

#[test]
fn every_query_asks_for_metrics_that_the_services_export() {
    let exported = exported();
    let alerts = alerts().into_iter().map(|alert| {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        (text("alert"), text("expr"))
    });
    for (place, query) in queries().into_iter().chain(alerts) {
        let asked = metrics_in(&query);
        assert!(!asked.is_empty(), "{place} asks for no metric: {query}");
        for name in asked {
            assert!(exported.contains(&name) || OF_THE_BROKER.contains(&name.as_str()), "{place}: {name}");
        }
    }
}

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let pages = repository::root().join("docs/runbook");
    let is_page = |name: &String| name.starts_with("Facereel");
    let files = fs::read_dir(&pages).expect("there is a runbook").flatten();
    let there: BTreeSet<_> =
        files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(is_page).collect();
    let alerts = alerts();
    let expected: BTreeSet<_> =
        alerts.iter().map(|alert| format!("{}.md", alert["alert"].as_str().unwrap_or_default())).collect();
    assert_eq!(there, expected);
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap_or_default();
        assert_eq!(alert["annotations"]["runbook_url"], format!("docs/runbook/{name}.md"));
        let page = read(&pages.join(format!("{name}.md")));
        for heading in ["## What it means", "## Look", "## Do"] {
            assert!(page.contains(heading), "{name}.md has no '{heading}'");
        }
    }
}

/// Metrics of the services as docs/services.md lists them, which a test of theirs compares with the code.
fn exported() -> BTreeSet<String> {
    let page = read(&repository::root().join("docs/services.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let names = rows.filter(|name| name.starts_with("facereel_") || name.starts_with("process_"));
    names.map(|name| name.split('{').next().unwrap_or(name).to_owned()).collect()
}
