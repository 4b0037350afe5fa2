//! Which endpoint a path means, and the parameters of its query.
//!
//! Owns the paths of portal-api.md. Never decides what an endpoint answers.

use std::borrow::Cow;

use super::message::Refusal;
use crate::ids::PortalId;

/// An endpoint of the portal, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Section 2.
    Token,
    /// Section 3: subordinate users.
    Partners,
    /// Section 3: plans and services of a product.
    Services,
    /// Section 3: billing contacts.
    Contacts,
    /// Section 3: products one may subscribe to.
    Products,
    /// Section 4: create an order.
    Save,
    /// Section 5: the order list.
    List,
    /// Section 5: one order.
    Get,
    /// Section 6: list prices.
    Prices,
    /// Section 6: the price of an order.
    Calculate,
    /// Section 6: renewal of a plan.
    PlanInfo,
    /// Section 6: renewal of a service.
    AddOnInfo,
    /// Section 7: purchased products.
    Purchased,
    /// Section 7: one purchased product.
    Detail,
    /// Any other path.
    Unknown,
}

impl Endpoint {
    /// Every endpoint, in the order of the sections; [`Endpoint::Unknown`] last.
    pub const ALL: [Self; 15] = [
        Self::Token,
        Self::Partners,
        Self::Services,
        Self::Contacts,
        Self::Products,
        Self::Save,
        Self::List,
        Self::Get,
        Self::Prices,
        Self::Calculate,
        Self::PlanInfo,
        Self::AddOnInfo,
        Self::Purchased,
        Self::Detail,
        Self::Unknown,
    ];

    /// Its word in fault texts and call counts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Partners => "partners",
            Self::Services => "services",
            Self::Contacts => "contacts",
            Self::Products => "products",
            Self::Save => "save",
            Self::List => "list",
            Self::Get => "get",
            Self::Prices => "prices",
            Self::Calculate => "calculate",
            Self::PlanInfo => "plan-info",
            Self::AddOnInfo => "add-on-info",
            Self::Purchased => "purchased",
            Self::Detail => "detail",
            Self::Unknown => "unknown",
        }
    }

    /// The method it answers to.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Token | Self::Save | Self::Calculate => "POST",
            _ => "GET",
        }
    }
}

/// An endpoint, what follows it in the path, and its query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'a> {
    pub(super) endpoint: Endpoint,
    /// The last part of the path, for endpoints that carry an id there.
    pub(super) tail: &'a str,
    pub(super) query: Query<'a>,
}

const GET_ORDER: &str = "/order/openapi/order/v1/get/";

impl<'a> Route<'a> {
    pub(super) fn of(path_and_query: &'a str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let (endpoint, tail) = match fixed(path) {
            Some(endpoint) => (endpoint, ""),
            None => with_tail(path),
        };
        Self { endpoint, tail, query: Query(query) }
    }
}

fn fixed(path: &str) -> Option<Endpoint> {
    Some(match path {
        "/auth/openapi/v1/oauth/token" => Endpoint::Token,
        "/user/openapi/user/v1/client/partner_list" => Endpoint::Partners,
        "/user/openapi/user/v1/client/billing_contact_list" => Endpoint::Contacts,
        "/pricing/openapi/purchase/v1/purchase_product_info" => Endpoint::Services,
        "/pricing/openapi/purchase/v1/product_list" => Endpoint::Products,
        "/pricing/openapi/purchase/v1/my_price_info" => Endpoint::Prices,
        "/pricing/openapi/purchase/v1/pricing/calculate" => Endpoint::Calculate,
        "/order/openapi/order/v1/save" => Endpoint::Save,
        "/order/openapi/order/v1/page" => Endpoint::List,
        "/product/openapi/instance_product/v1/client/instance_product_list" => Endpoint::Purchased,
        "/product/openapi/instance_product/v1/detail" => Endpoint::Detail,
        _ => return None,
    })
}

/// Paths that end in an id. The guide's excerpt leaves out what stands before `renew/`: anything under `/pricing/openapi/` will do.
fn with_tail(path: &str) -> (Endpoint, &str) {
    let (front, tail) = path.rsplit_once('/').unwrap_or(("", path));
    let pricing = front.starts_with("/pricing/openapi/");
    if tail.is_empty() {
        (Endpoint::Unknown, "")
    } else if path.strip_prefix(GET_ORDER) == Some(tail) {
        (Endpoint::Get, tail)
    } else if pricing && front.ends_with("/renew/plan_info") {
        (Endpoint::PlanInfo, tail)
    } else if pricing && front.ends_with("/renew/add_on_info") {
        (Endpoint::AddOnInfo, tail)
    } else {
        (Endpoint::Unknown, "")
    }
}

/// The parameters after `?`, or those of a form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a>(pub(super) &'a str);

impl<'a> Query<'a> {
    /// The first value of `name`; an empty one counts as none.
    pub(super) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        url::form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value)
    }

    pub(super) fn required(self, name: &str) -> Result<Cow<'a, str>, Refusal> {
        self.get(name).ok_or_else(|| Refusal::validation(format!("{name} is required")))
    }

    pub(super) fn id(self, name: &str) -> Result<Option<PortalId>, Refusal> {
        let parse = |text: Cow<'_, str>| text.parse().map_err(|problem| Refusal::validation(format!("{name}: {problem}")));
        self.get(name).map(parse).transpose()
    }

    pub(super) fn required_id(self, name: &str) -> Result<PortalId, Refusal> {
        self.id(name)?.ok_or_else(|| Refusal::validation(format!("{name} is required")))
    }

    /// A number from 1, or `otherwise` if it is not given.
    pub(super) fn ordinal(self, name: &str, otherwise: u32) -> Result<u32, Refusal> {
        let Some(text) = self.get(name) else { return Ok(otherwise) };
        match text.parse() {
            Ok(number) if number >= 1 => Ok(number),
            _ => Err(Refusal::validation(format!("{name} must be a number from 1"))),
        }
    }
}
