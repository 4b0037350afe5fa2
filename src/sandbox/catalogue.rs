//! Who and what exists in the sandbox: partners, billing contacts, products with plans and services.
//!
//! Every person and company is invented; addresses end in `.example`, which belongs to nobody (RFC 2606).

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::message::Refusal;
use super::request::OrderRequest;
use super::rules;
use super::seed::{Stream, mix};
use crate::ids::PortalId;
use crate::renewal::order::LineKind;
use crate::renewal::subscription::{Entry, Party};

/// A company: a partner or a billing contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// `partnerId` or `billingContactId`
    pub id: PortalId,
    /// `company`
    pub company: String,
    /// The part of its addresses before `.example`.
    pub slug: String,
}

/// A plan or a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `planId` or `serviceId`: what an order takes.
    pub id: PortalId,
    /// What it is called.
    pub name: String,
}

impl Item {
    /// `pricingPlanId` or `pricingServiceId`: what the price calls take.
    pub fn pricing_id(&self) -> PortalId {
        pricing_id(self.id)
    }
}

/// A product one may subscribe to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// `productId`
    pub id: PortalId,
    /// `name`
    pub name: String,
    /// Its plans.
    pub plans: Vec<Item>,
    /// Its services.
    pub services: Vec<Item>,
}

impl Offer {
    /// `offeringId`
    pub fn offering_id(&self) -> PortalId {
        derived(self.id, 3_100_000_000_000_000_000)
    }
}

/// A product that somebody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// `productId`
    pub product: PortalId,
    /// The subordinate user, or none for the reseller itself.
    pub partner: Option<PortalId>,
    /// The serial number, for products that have one.
    pub serial: Option<String>,
    /// The end of the paid term.
    pub expires_on: Date,
}

/// Everything that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Subordinate users.
    pub partners: Vec<Company>,
    /// Billing contacts.
    pub contacts: Vec<Company>,
    /// Products.
    pub products: Vec<Offer>,
    /// Purchased products.
    pub owned: Vec<Owned>,
}

/// The pricing id that belongs to the id of a plan or service: another one, so that mixing them up is noticed.
pub(super) fn pricing_id(id: PortalId) -> PortalId {
    derived(id, 3_500_000_000_000_000_000)
}

fn derived(id: PortalId, base: u64) -> PortalId {
    PortalId::known(base + mix(0, Stream::Pricing, fold(id)) % 100_000_000_000_000_000)
}

/// An id as a number to mix: its digits, wrapped where a `u64` cannot hold them.
pub(super) fn fold(id: PortalId) -> u64 {
    id.to_string().bytes().fold(0_u64, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

impl Catalogue {
    /// The products of section 8, without plans and services.
    pub fn of_products() -> Self {
        let offer = |(id, name): (&str, &str)| {
            let id = id.parse().ok()?;
            Some(Offer { id, name: name.into(), plans: Vec::new(), services: Vec::new() })
        };
        Self { products: rules::products().filter_map(offer).collect(), ..Self::default() }
    }

    /// What the sandbox shows when it is given no catalogue: the tutorial's ids.
    pub fn tutorial() -> Self {
        let mut catalogue = Self::of_products();
        catalogue.add_partner(PortalId::known(3_076_915_454_489_739_264), "blue-harbour");
        catalogue.add_contact(PortalId::known(3_197_218_168_379_846_218), "head office");
        let service = Item { id: PortalId::known(3_375_819_276_601_303_040), name: "Connections".into() };
        if let Some(offer) = catalogue.products.iter_mut().find(|offer| offer.id == PortalId::known(21)) {
            offer.services.push(service);
        }
        catalogue
    }

    /// Everything that the entries of a `renewals.toml` name, and the products of section 8.
    pub fn for_entries(entries: &[Entry]) -> Self {
        let mut catalogue = Self::of_products();
        let mut seen = Seen::default();
        for entry in entries {
            catalogue.add_entry(entry, &mut seen);
        }
        catalogue
    }

    fn add_entry(&mut self, entry: &Entry, seen: &mut Seen) {
        let partner = match entry.identity.party {
            Party::Own => None,
            Party::Partner(id) => Some(id),
        };
        if let Some(id) = partner.filter(|id| seen.partners.insert(*id)) {
            self.add_partner(id, &entry.name);
        }
        if seen.contacts.insert(entry.billing_id) {
            self.add_contact(entry.billing_id, &format!("head office {}", seen.contacts.len()));
        }
        for line in entry.lines.iter().filter(|line| seen.items.insert((entry.identity.product_id, line.kind, line.id))) {
            self.add_item(entry.identity.product_id, line.kind, line.id, entry.product.name);
        }
        let (product, serial) = (entry.identity.product_id, entry.identity.serial.clone());
        self.owned.push(Owned { product, partner, serial, expires_on: entry.expires_on });
    }

    fn add_partner(&mut self, id: PortalId, name: &str) {
        self.partners.push(Company { id, company: format!("{} (sandbox)", titled(name)), slug: slug(name) });
    }

    fn add_contact(&mut self, id: PortalId, name: &str) {
        self.contacts.push(Company { id, company: format!("{} (sandbox)", titled(name)), slug: slug(name) });
    }

    fn add_item(&mut self, product: PortalId, kind: LineKind, id: PortalId, name: &str) {
        let Some(offer) = self.products.iter_mut().find(|offer| offer.id == product) else { return };
        match kind {
            LineKind::Plan => offer.plans.push(Item { id, name: format!("{name} plan") }),
            LineKind::Service => offer.services.push(Item { id, name: format!("{name} service") }),
        }
    }

    /// The product with this id.
    pub fn product(&self, id: PortalId) -> Option<&Offer> {
        self.products.iter().find(|offer| offer.id == id)
    }

    fn admits_items(&self, request: &OrderRequest) -> Result<(), Refusal> {
        let product = self.product(request.product_id).ok_or_else(|| unknown("productId", request.product_id))?;
        for line in &request.service_list {
            let items = if line.service_type == "plan" { &product.plans } else { &product.services };
            if !items.iter().any(|item| item.id == line.service_id) {
                return Err(unknown("serviceId", line.service_id));
            }
        }
        Ok(())
    }
}

fn unknown(what: &str, id: PortalId) -> Refusal {
    Refusal::validation(format!("{what} {id} is not known"))
}

/// A catalogue in which companies are found by id: an order costs no walk through all partners.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) catalogue: Catalogue,
    partners: HashSet<PortalId>,
    contacts: HashMap<PortalId, usize>,
    /// Whether ids outside the catalogue are refused.
    closed: bool,
}

impl Directory {
    /// The given catalogue, closed; or the tutorial's, open to every id.
    pub(super) fn of(given: Option<Catalogue>) -> Self {
        let closed = given.is_some();
        let catalogue = given.unwrap_or_else(Catalogue::tutorial);
        let partners = catalogue.partners.iter().map(|partner| partner.id).collect();
        let contacts = catalogue.contacts.iter().enumerate().map(|(at, contact)| (contact.id, at)).collect();
        Self { catalogue, partners, contacts, closed }
    }

    pub(super) fn contact(&self, id: PortalId) -> Option<&Company> {
        self.contacts.get(&id).map(|at| &self.catalogue.contacts[*at])
    }

    /// Whether every id of an order may stand there.
    pub(super) fn admits(&self, request: &OrderRequest) -> Result<(), Refusal> {
        if !self.closed {
            return Ok(());
        }
        if !self.contacts.contains_key(&request.billing_id) {
            return Err(unknown("billingId", request.billing_id));
        }
        if let Some(id) = request.partner_id.filter(|id| !self.partners.contains(id)) {
            return Err(unknown("partnerId", id));
        }
        self.catalogue.admits_items(request)
    }
}

/// What has been entered, so that a file of 100,000 entries does not take the square of that.
#[derive(Default)]
struct Seen {
    partners: HashSet<PortalId>,
    contacts: HashSet<PortalId>,
    items: HashSet<(PortalId, LineKind, PortalId)>,
}

/// `blue-harbour` as `Blue Harbour`.
fn titled(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    name.split(|c: char| !c.is_alphanumeric()).filter_map(word).collect::<Vec<_>>().join(" ")
}

/// `Blue Harbour` as `blue-harbour`.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
