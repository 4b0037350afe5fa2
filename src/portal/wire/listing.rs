//! A list, bare or inside a page object, under whichever of the usual names.
//!
//! Never takes a missing list for an empty one: that would look like "no orders".

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field::count;

/// Where a page object keeps its rows; `results` is the documented name (portal-api.md section 5).
const ROW_NAMES: [&str; 6] = ["results", "list", "records", "rows", "items", "data"];

/// The elements of a list, untouched, and what the page around them says.
pub(super) struct RawPage<'a> {
    pub(super) elements: Vec<&'a RawValue>,
    /// `total`, `totalPage`, `pageNo`, `pageSize`; empty for a bare list.
    pub(super) about: Map<String, Value>,
}

/// An object of the list, and the same as it came.
type Element<'a> = (Map<String, Value>, &'a str);

impl<'a> RawPage<'a> {
    /// Reads `result`, if it is a list or a page.
    pub(super) fn read(result: &'a RawValue) -> Option<Self> {
        if let Ok(elements) = serde_json::from_str(result.get()) {
            return Some(Self { elements, about: Map::new() });
        }
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(result.get()).ok()?;
        let about = ["total", "totalPage", "pageNo", "pageSize"].into_iter().filter_map(|name| {
            let value = serde_json::from_str(fields.get(name)?.get()).ok()?;
            Some((name.to_owned(), value))
        });
        let page = Self { elements: Vec::new(), about: about.collect() };
        let rows = ROW_NAMES.into_iter().find_map(|name| serde_json::from_str(fields.get(name)?.get()).ok());
        let says_none = || (page.count("total") == Some(0)).then(Vec::new);
        Some(Self { elements: rows.or_else(says_none)?, ..page })
    }

    pub(super) fn count(&self, name: &str) -> Option<u64> {
        count(&self.about, name)
    }

    /// The elements that are objects, each with its raw text; the raw text of the others.
    pub(super) fn split(&self) -> (Vec<Element<'a>>, Vec<String>) {
        let (mut objects, mut others) = (Vec::new(), Vec::new());
        for element in &self.elements {
            match serde_json::from_str(element.get()) {
                Ok(object) => objects.push((object, element.get())),
                Err(_) => others.push(element.get().to_owned()),
            }
        }
        (objects, others)
    }
}
