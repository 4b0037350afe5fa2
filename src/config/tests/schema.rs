use serde_json::Value;

use super::*;
use crate::config::keys::{Key, Kind};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/renewals.schema.json");

/// Write the shipped file anew: `UPDATE_SCHEMA=1 cargo test --lib the_shipped_schema`
#[test]
fn the_shipped_schema_is_the_one_of_the_reader() {
    let text = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(SHIPPED, &text).unwrap();
    }
    let shipped = std::fs::read_to_string(SHIPPED).unwrap();
    assert_eq!(shipped, text, "run: UPDATE_SCHEMA=1 cargo test --lib the_shipped_schema");
}

/// Every table with the place where a line may be added to it.
fn tables() -> [(&'static [Key], String); 8] {
    let top = "timezone = \"UTC\"\n";
    [
        (&keys::FILE, String::new()),
        (&keys::PORTAL, format!("{top}[portal]\n")),
        (&keys::SCHEDULE, format!("{top}[schedule]\n")),
        (&keys::NOTIFY, format!("{top}[notify]\n")),
        (&keys::LIMITS, format!("{top}[limits]\n")),
        (&keys::DEFAULTS, format!("{top}[defaults]\n")),
        (&keys::RENEWAL, format!("{TOP}[[renewal]]\n")),
        (&keys::LINE, format!("{}[[renewal.line]]\n", with_entry("product = \"p-series-cloud\"\nserial = \"A\""))),
    ]
}

#[test]
fn every_key_of_the_schema_is_read() {
    for (keys, before) in tables() {
        for key in keys {
            let wrong = if matches!(key.kind, Kind::Flag) { "5" } else { "false" };
            let found = mistakes(&format!("{before}{} = {wrong}\n", key.name));
            let said = format!("`{}` must be ", key.name);
            assert!(found.iter().any(|one| one.title.starts_with(&said)), "{before}{}\n{found}", key.name);
        }
    }
}

#[test]
fn every_key_that_is_read_is_in_the_schema() {
    for (keys, before) in tables() {
        let found = mistakes(&format!("{before}zzz = 1\n"));
        let unknown = found.iter().find(|one| one.title.starts_with("unknown key `zzz`")).unwrap();
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        assert!(unknown.help.ends_with(&names.join(", ")), "{}", unknown.help);
        let table = format!("{names:?}");
        assert!(schema_tables(&schema()).contains(&sorted(&table)), "{table}");
    }
}

/// The names of each table in the schema, sorted.
fn schema_tables(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], false);
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        found.push(sorted(&format!("{names:?}")));
    }
    let children: Vec<&Value> = match schema {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    found.extend(children.into_iter().flat_map(schema_tables));
    found
}

fn sorted(list: &str) -> String {
    let mut names: Vec<&str> = list.trim_matches(['[', ']']).split(", ").collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn every_key_is_described() {
    for (keys, _) in tables() {
        assert!(keys.iter().all(|key| key.doc.ends_with('.')));
    }
    assert_eq!(schema()["properties"]["renewal"]["items"]["properties"]["far"]["default"], false);
    assert_eq!(schema()["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn every_example_and_every_default_is_accepted_and_changes_nothing() {
    let written = |key: &Key, default: &str| match key.kind {
        Kind::Number { .. } | Kind::Flag => format!("{} = {default}\n", key.name),
        _ => format!("{} = \"{default}\"\n", key.name),
    };
    let defaults = |keys: &[Key]| -> String { keys.iter().filter_map(|key| Some(written(key, key.default?))).collect() };
    let silent = with_entry("quantity = 1");
    let spoken = with_entry(&format!("quantity = 1\n{}", defaults(&keys::RENEWAL)))
        + &format!("[portal]\n{}[schedule]\n{}", defaults(&keys::PORTAL), defaults(&keys::SCHEDULE))
        + &format!("[limits]\n{}[notify]\n{}", defaults(&keys::LIMITS), defaults(&keys::NOTIFY));
    let [silent, spoken] =
        [silent, spoken].map(|source| format!("{:?}", parse("renewals.toml", &source).unwrap_or_else(|e| panic!("{e}"))));
    assert_eq!(silent, spoken);
    for (keys, before) in tables() {
        for key in keys.iter().filter(|key| !matches!(key.kind, Kind::Table(_))) {
            let Err(found) = parse("renewals.toml", &format!("{before}{} = {}\n", key.name, key.example)) else { continue };
            assert!(!found.iter().any(|one| one.title.starts_with(&format!("`{}` must be", key.name))), "{found}");
        }
    }
}
