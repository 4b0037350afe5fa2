//! The JSON Schema of `renewals.toml`, for editors.
//!
//! Made of the same declaration of keys as the reader (`keys.rs`), so that neither can know a key that the other does not.
//! Draft 07, the newest that TOML editors understand.

use serde_json::{Map, Value, json};

use super::keys::{FILE, Key, Kind};
use crate::ids::MAX_DIGITS;
use crate::renewal::product::PRODUCTS;

/// The schema that is shipped as `renewals.schema.json`.
pub fn schema() -> Value {
    let mut schema = table(&FILE);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("renewals.toml");
    schema["description"] = json!("What renewd renews, for whom, and how much it may spend.");
    schema
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn property(key: &Key) -> Value {
    let mut property = kind(&key.kind);
    property["description"] = json!(key.doc);
    if let Some(default) = key.default {
        property["default"] = default_of(&key.kind, default);
    }
    property
}

fn default_of(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Number { .. } | Kind::Flag => text.parse().unwrap_or(Value::Null),
        _ => json!(text),
    }
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text { max } => json!({ "type": "string", "minLength": 1, "maxLength": max }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Product => json!({ "type": "string", "enum": PRODUCTS.iter().map(|product| product.key).collect::<Vec<_>>() }),
        Kind::Id => {
            json!({ "type": ["string", "integer"], "pattern": format!("^[1-9][0-9]{{0,{}}}$", MAX_DIGITS - 1), "minimum": 1 })
        }
        Kind::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Flag => json!({ "type": "boolean" }),
        // A TOML date reaches a schema as a text of this form.
        Kind::Day => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        Kind::TimeOfDay => json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$" }),
        Kind::Days { .. } => json!({ "type": "string", "pattern": "^[0-9]+ *(d|days?|w|weeks?)$" }),
        Kind::Time => json!({ "type": "string", "pattern": "^[0-9]+ *(s|sec|seconds?|min|minutes?|h|hours?|d|days?|w|weeks?)$" }),
        Kind::Url => json!({ "type": "string", "format": "uri" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Table(keys) => table(keys),
        Kind::TableOr(keys, words) => json!({ "anyOf": [{ "type": "string", "enum": words }, table(keys)] }),
        Kind::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
    }
}
