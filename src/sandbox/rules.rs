//! Which values a renewal of each product wants (portal-api.md section 8).
//!
//! Written from that table and not from `renewal/product.rs`, so that one checks the other. Where the table says `?` any
//! value is taken.

use super::message::Refusal;
use super::request::{OrderRequest, RequestLine};

/// What a product asks of `quantity` on its main line.
#[derive(PartialEq, Eq)]
enum Quantity {
    Required,
    /// One product id stands for a product with and one without.
    Optional,
    Forbidden,
}

/// The cycles a product is sold in.
enum Cycles {
    /// Annually, `multiCycle` within these bounds.
    Annually(u64, u64),
    /// Monthly with 0, annually with 1 to 5.
    MonthlyOrYears,
}

struct Rule {
    product: &'static str,
    name: &'static str,
    operation: &'static str,
    types: &'static [&'static str],
    quantity: Quantity,
    cycles: Cycles,
    serial: bool,
}

const SERVICE: &[&str] = &["service"];
const PLAN: &[&str] = &["plan"];
const BOTH: &[&str] = &["plan", "service"];

static RULES: [Rule; 7] = [
    rule("21", "RM Premium", "renew_service", SERVICE, Quantity::Required, Cycles::Annually(0, 0), false),
    rule("19", "White Label and Custom Domain", "renew_service", SERVICE, Quantity::Optional, Cycles::Annually(0, 0), false),
    rule("15", "Remote Management", "renew_plan", PLAN, Quantity::Forbidden, Cycles::Annually(1, 1), false),
    rule("14", "P-Series Turnkey Package", "renew_plan", BOTH, Quantity::Required, Cycles::Annually(0, 5), false),
    rule("11", "P-Series Appliance", "renew_plan", PLAN, Quantity::Forbidden, Cycles::MonthlyOrYears, true),
    rule("12", "P-Series Software Edition", "renew_plan", BOTH, Quantity::Required, Cycles::Annually(0, 5), true),
    rule("13", "P-Series Cloud Edition", "renew_plan", BOTH, Quantity::Required, Cycles::Annually(0, 5), true),
];

const fn rule(
    product: &'static str,
    name: &'static str,
    operation: &'static str,
    types: &'static [&'static str],
    quantity: Quantity,
    cycles: Cycles,
    serial: bool,
) -> Rule {
    Rule { product, name, operation, types, quantity, cycles, serial }
}

/// The products of section 8: id and name.
pub(super) fn products() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.product, rule.name))
}

/// Whether a request is a renewal as section 8 has it. Purchases, trials and switches are refused: nothing here sends them,
/// and one that arrived would be a mistake that must not look like a success.
pub(super) fn check_renewal(request: &OrderRequest) -> Result<(), Refusal> {
    let product = request.product_id.to_string();
    let Some(rule) = RULES.iter().find(|rule| rule.product == product) else {
        return Err(Refusal::validation(format!("productId {product} is not known")));
    };
    ensure(request.operation_type == rule.operation, || format!("operationType must be {} for this product", rule.operation))?;
    ensure(request.product_no.is_some() || !rule.serial, || "productNo is required for this product".into())?;
    ensure(request.product_no.is_none() || rule.serial, || "productNo: this product has no serial number".into())?;
    let lines = &request.service_list;
    let main = lines.iter().position(|line| line.service_type == "plan").unwrap_or(0);
    for (at, line) in lines.iter().enumerate() {
        let problem = |text: String| Refusal::validation(format!("serviceList[{at}].{text}"));
        check_line(rule, line).and_then(|()| check_plan(line, lines)).map_err(problem)?;
        check_quantity(rule, line, at == main).map_err(problem)?;
    }
    Ok(())
}

fn ensure(fine: bool, problem: impl FnOnce() -> String) -> Result<(), Refusal> {
    if fine { Ok(()) } else { Err(Refusal::validation(problem())) }
}

fn check_line(rule: &Rule, line: &RequestLine) -> Result<(), String> {
    if !rule.types.contains(&line.service_type.as_str()) {
        return Err(format!("serviceType must be {}", rule.types.join(" or ")));
    }
    if line.purchase_type != "renew" {
        return Err("purchaseType must be renew".into());
    }
    if line.billing_model != "recurring" {
        return Err("billingModel must be recurring".into());
    }
    let cycles = match (&rule.cycles, line.billing_cycle.as_str()) {
        (Cycles::Annually(low, high), "annually") => *low..=*high,
        (Cycles::MonthlyOrYears, "monthly") => 0..=0,
        (Cycles::MonthlyOrYears, "annually") => 1..=5,
        _ => return Err("billingCycle is not one of this product".into()),
    };
    if cycles.contains(&line.multi_cycle) { Ok(()) } else { Err(format!("multiCycle must be within {cycles:?}")) }
}

fn check_quantity(rule: &Rule, line: &RequestLine, main: bool) -> Result<(), String> {
    match line.quantity {
        Some(0) => Err("quantity must be at least 1".into()),
        Some(_) if rule.quantity == Quantity::Forbidden => Err("quantity: this product has none".into()),
        None if rule.quantity == Quantity::Required && main => Err("quantity is required".into()),
        _ => Ok(()),
    }
}

/// A service renewed beside its plan names that plan, and nothing else does.
fn check_plan(line: &RequestLine, lines: &[RequestLine]) -> Result<(), String> {
    let is_plan_here = |id| lines.iter().any(|other| other.service_type == "plan" && other.service_id == id);
    let beside_plan = line.service_type == "service" && lines.iter().any(|other| other.service_type == "plan");
    match line.connection_plan_id {
        Some(id) if beside_plan && is_plan_here(id) => Ok(()),
        Some(_) => Err("connectionPlanId must be the plan of this order, on a service line".into()),
        None if beside_plan => Err("connectionPlanId is required on a service beside its plan".into()),
        None => Ok(()),
    }
}
