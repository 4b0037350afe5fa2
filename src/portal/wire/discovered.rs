//! The look-ups before an order: products, partners and billing contacts (portal-api.md section 3).
//!
//! Every field is optional and every id is text with its digits as they came.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::field::text;
use super::listing::RawPage;

/// A list of the portal, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The elements that are objects.
    pub rows: Vec<T>,
    /// The raw text of those that are not.
    pub unreadable: Vec<String>,
    /// How many there are in all, where the portal sends pages and says so.
    pub total: Option<u64>,
}

/// A struct of optional texts, each with the name of its JSON field.
macro_rules! record {
    ($(#[$about:meta])* $name:ident { $($field:ident: $key:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name {
            $(#[doc = concat!("`", $key, "`")] pub $field: Option<String>,)+
        }

        impl $name {
            /// Reads `result` of its list; `None` if it is no list.
            pub(in super::super) fn list(result: &RawValue) -> Option<Listing<Self>> {
                listing(result, |object| Self { $($field: text(object, $key),)+ })
            }
        }
    };
}

record! {
    /// A product that one may subscribe to.
    Product {
        product_id: "productId",
        name: "name",
        offering_id: "offeringId",
    }
}

record! {
    /// A subordinate user.
    Partner {
        partner_id: "partnerId",
        company: "company",
        email: "email",
        first_name: "firstName",
        last_name: "lastName",
        country: "country",
        state_province: "stateProvince",
        city: "city",
        street: "street",
        zip_code: "zipCode",
        phone_number: "phoneNumber",
        tax_num: "taxNum",
        user_type: "userType",
        remark: "remark",
    }
}

record! {
    /// A billing contact; its id goes into an order as `billingId`.
    BillingContact {
        billing_contact_id: "billingContactId",
        company: "company",
        email_address: "emailAddress",
        first_name: "firstName",
        last_name: "lastName",
        country: "country",
        city: "city",
        street: "street",
        zip_code: "zipCode",
        state_province: "stateProvince",
        phone_number: "phoneNumber",
        tax_num: "taxNum",
        remark: "remark",
    }
}

fn listing<T>(result: &RawValue, row: impl Fn(&Map<String, Value>) -> T) -> Option<Listing<T>> {
    let page = RawPage::read(result)?;
    let (objects, unreadable) = page.split();
    Some(Listing { rows: objects.iter().map(|(object, _)| row(object)).collect(), unreadable, total: page.count("total") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_bare_list_and_a_page_are_read_alike() {
        for json in [
            r#"[{"partnerId":"3076915454489739264","company":"Blue Harbour"}]"#,
            r#"{"total":1,"records":[{"partnerId":3076915454489739264,"company":"Blue Harbour"}]}"#,
        ] {
            let partners = Partner::list(&raw(json)).unwrap();
            let expected = Partner {
                partner_id: Some("3076915454489739264".to_owned()),
                company: Some("Blue Harbour".to_owned()),
                ..Partner::default()
            };
            assert_eq!(partners.rows, [expected]);
        }
    }

    #[test]
    fn products_and_contacts_have_their_own_names() {
        let products = Product::list(&raw(r#"[{"name":"RM Premium","productId":21,"offeringId":"5"},7]"#)).unwrap();
        assert_eq!(products.rows[0].product_id.as_deref(), Some("21"));
        assert_eq!(products.unreadable, ["7"]);
        let contacts =
            BillingContact::list(&raw(r#"{"list":[{"billingContactId":"9","emailAddress":"a@example.org"}],"total":30}"#))
                .unwrap();
        assert_eq!(contacts.rows[0].email_address.as_deref(), Some("a@example.org"));
        assert_eq!(contacts.total, Some(30), "one sees that it is not all");
    }
}
