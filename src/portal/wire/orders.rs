//! Orders read back: the list and one order's details (portal-api.md section 5).
//!
//! Keeps the raw text of everything, so that the mirror holds what the portal said and not what was understood of it (R17).

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field::{moment, text};
use super::listing::RawPage;

/// One row of the order list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// `id`
    pub id: Option<String>,
    /// `orderNo`
    pub order_no: Option<String>,
    /// `orderStatus`, an open set.
    pub status: Option<String>,
    /// `createTime`, from seconds or milliseconds.
    pub create_time: Option<Timestamp>,
    /// The row as it came.
    pub raw: String,
}

/// One page of the order list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrdersPage {
    /// Every element that is an object.
    pub rows: Vec<OrderRow>,
    /// The raw text of every element that is not.
    pub unreadable: Vec<String>,
    /// `total`: orders on all pages.
    pub total: Option<u64>,
    /// `totalPage`
    pub total_page: Option<u64>,
    /// `pageNo`, from 1.
    pub page_no: Option<u64>,
    /// `pageSize`
    pub page_size: Option<u64>,
}

/// Everything the portal tells of one order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderDetail {
    /// `result` as it came.
    pub raw: String,
    /// The same, parsed; numbers keep their digits.
    pub value: Value,
}

impl OrdersPage {
    /// Reads `result` of the order list; `None` if it is no list.
    pub(in super::super) fn read(result: &RawValue) -> Option<Self> {
        let page = RawPage::read(result)?;
        let (objects, unreadable) = page.split();
        Some(Self {
            rows: objects.iter().map(|(object, raw)| row(object, raw)).collect(),
            unreadable,
            total: page.count("total"),
            total_page: page.count("totalPage"),
            page_no: page.count("pageNo"),
            page_size: page.count("pageSize"),
        })
    }
}

fn row(object: &Map<String, Value>, raw: &str) -> OrderRow {
    OrderRow {
        id: text(object, "id"),
        order_no: number(object),
        status: text(object, "orderStatus"),
        create_time: moment(object, "createTime"),
        raw: raw.to_owned(),
    }
}

impl OrderDetail {
    /// Reads `result` of the details; `None` if it is not an object with something in it.
    pub(in super::super) fn read(result: &RawValue) -> Option<Self> {
        let value: Value = serde_json::from_str(result.get()).ok()?;
        let told = value.as_object().is_some_and(|object| !object.is_empty());
        told.then(|| Self { raw: result.get().to_owned(), value })
    }

    /// Whether these are the details of the order with this id and this number, of those that its row has. Lines and contacts have ids of their own,
    /// so an id elsewhere says nothing against it; a number does.
    pub fn are_of(&self, id: Option<&str>, order_no: Option<&str>) -> bool {
        let numbers: Vec<String> = named(&self.value, &["orderNo"]).into_iter().filter(|number| is_number(number)).collect();
        let by_id = || id.is_some_and(|id| named(&self.value, &["id", "orderId"]).iter().any(|named| named == id));
        // Before the portal gives it a number, an order goes by its id; and its details may show that it has none, and no id.
        match order_no.filter(|number| Some(*number) != id) {
            Some(order_no) if !numbers.is_empty() => numbers.iter().any(|number| number == order_no),
            Some(_) => by_id(),
            None => by_id() || (numbers.is_empty() && has_blank_number(&self.value)),
        }
    }
}

/// `orderNo`; a stroke that stands for none would be the number of every order that has none.
fn number(fields: &Map<String, Value>) -> Option<String> {
    text(fields, "orderNo").filter(|number| is_number(number))
}

fn is_number(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Whether an `orderNo` is there, and nothing in it.
fn has_blank_number(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key("orderNo") && number(fields).is_none() || fields.values().any(has_blank_number)
        }
        Value::Array(elements) => elements.iter().any(has_blank_number),
        _ => false,
    }
}

/// What stands under any of `keys`, wherever.
fn named(value: &Value, keys: &[&str]) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let here = keys.iter().filter_map(|key| text(fields, key));
            here.chain(fields.values().flat_map(|inner| named(inner, keys))).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(|element| named(element, keys)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str) -> Option<OrdersPage> {
        OrdersPage::read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_documented_page_is_read() {
        let page = page(
            r#"{"count":1,"total":"51","pageNo":1,"pageSize":25,"totalPage":3,
                "results":[{"id":1780063,"orderNo":"UF3400820771565023232","orderStatus":"succeed","createTime":1803891600000,"x":1.0}]}"#,
        )
        .unwrap();
        assert_eq!((page.total, page.total_page, page.page_no, page.page_size), (Some(51), Some(3), Some(1), Some(25)));
        let row = &page.rows[0];
        assert_eq!((row.id.as_deref(), row.order_no.as_deref()), (Some("1780063"), Some("UF3400820771565023232")));
        assert_eq!(row.status.as_deref(), Some("succeed"));
        assert_eq!(row.create_time.unwrap().to_string(), "2027-03-01T09:00:00Z");
        assert!(row.raw.ends_with(r#""x":1.0}"#), "the row is kept as it came");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_kept() {
        let page = page(r#"{"list":[7,{"odd":true},null,["x"]]}"#).unwrap();
        assert_eq!(page.unreadable, ["7", "null", r#"["x"]"#]);
        assert_eq!(page.rows.len(), 1);
        assert_eq!((&page.rows[0].id, page.rows[0].raw.as_str()), (&None, r#"{"odd":true}"#));
    }

    #[test]
    fn a_missing_list_is_not_an_empty_list() {
        for json in ["{}", r#"{"total":3}"#, r#"{"total":3,"results":null}"#, r#"{"results":{}}"#, "7", r#""x""#] {
            assert_eq!(page(json), None, "{json}");
        }
        assert_eq!(page(r#"{"total":0,"results":null}"#).unwrap().rows, []);
        assert_eq!(page("[]").unwrap().rows, []);
    }

    #[test]
    fn a_row_nested_beyond_reason_is_unreadable_not_lost() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        let page = page(&format!("[{deep}]")).unwrap();
        assert_eq!(page.unreadable, [deep]);
    }

    #[test]
    fn details_that_name_another_order_or_none_are_not_of_this_one() {
        let details = |json: &str| OrderDetail::read(serde_json::from_str(json).unwrap()).unwrap();
        let of = |json: &str| details(json).are_of(Some("7"), Some("UF7"));
        assert!(of(r#"{"orderInformation":{"id":7,"orderNo":"UF7"}}"#));
        assert!(of(r#"{"orderInformation":{"orderNo":"UF7"},"orderSummary":[{"id":"91"}]}"#), "a line has an id of its own");
        assert!(of(r#"{"orderInformation":{"id":"7"}}"#));
        assert!(of(r#"{"related":[{"orderNo":"UF1"}],"orderInformation":{"orderNo":"UF7"}}"#));
        assert!(!of(r#"{"orderInformation":{"id":"8","orderNo":"UF8"}}"#));
        assert!(!of(r#"{"orderInformation":{"id":"7","orderNo":"UF8"}}"#), "its number is another one");
        assert!(!of(r#"{"basicInformation":{"productId":"21"}}"#), "it names none");
        let unnumbered = details(r#"{"orderInformation":{"id":"7","orderNo":"UF7"}}"#);
        assert!(unnumbered.are_of(Some("7"), None) && !unnumbered.are_of(Some("8"), None));
        assert!(unnumbered.are_of(Some("7"), Some("7")), "known by its id, before it got its number");
        for blank in ["null", "\"\"", "\"-\""] {
            let unpaid = details(&format!(r#"{{"orderInformation":{{"orderNo":{blank}}}}}"#));
            assert!(unpaid.are_of(Some("7"), None) && !unpaid.are_of(Some("7"), Some("UF7")), "it has none yet");
        }
    }

    #[test]
    fn details_keep_their_digits() {
        let raw: Box<RawValue> = serde_json::from_str(r#"{"basicInformation":{"productId":34008207715650232329}}"#).unwrap();
        let detail = OrderDetail::read(&raw).unwrap();
        assert_eq!(detail.value["basicInformation"]["productId"].to_string(), "34008207715650232329");
        assert_eq!(detail.raw, raw.get());
        for nothing in ["{}", "[]", "\"\""] {
            assert_eq!(OrderDetail::read(serde_json::from_str(nothing).unwrap()), None);
        }
    }
}
