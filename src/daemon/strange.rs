//! What the portal shows that nobody here expected.
//!
//! Owns noticing it at once, and not when the next order is due: an order of ours that no attempt is (the database was rolled back), one
//! request that was carried out twice, another installation that orders on the same account, an order that a person took for dead, and a
//! renewal by somebody else beside ours. Each is told once. Never decides which order counts.

use jiff::Timestamp;
use serde_json::json;

use super::engine::{Engine, TickError};
use super::words;
use crate::renewal::typed::typed;
use crate::rules::{Rule, kept};
use crate::store::audit::Happened;
use crate::store::listed::po_numbers;
use crate::store::outbox::Message;
use crate::store::own::Unexpected;
use crate::store::terms::DueTerm;

/// What every installation's `poNumber`s begin with.
const ANY: &str = "RW-";

impl Engine {
    /// Looks through the texts of orders that the portal just showed for the first time, or otherwise than before, for numbers.
    pub(super) async fn notice_numbers(&mut self, now: Timestamp, shown: &[&str]) -> Result<(), TickError> {
        let named: Vec<String> = shown.iter().flat_map(|text| po_numbers(text, ANY)).collect();
        if named.is_empty() {
            return Ok(());
        }
        let (ours, others): (Vec<String>, Vec<String>) =
            named.into_iter().partition(|number| number.starts_with(&self.po_prefix));
        if !ours.is_empty() {
            self.doubt_if_unknown(now, &ours).await?;
            self.carried_out_twice(now, &ours).await?;
        }
        if !others.is_empty() {
            self.another_installation(now, others).await?;
        }
        Ok(())
    }

    /// R9: an order of this installation that its database does not know was sent after the moment that the database comes from, or by a
    /// copy of it.
    async fn doubt_if_unknown(&mut self, now: Timestamp, named: &[String]) -> Result<(), TickError> {
        if self.doubted.is_some() || !kept(Rule::R9) {
            return Ok(());
        }
        let Some(unknown) = self.store.unknown_numbers(named).await?.into_iter().next() else { return Ok(()) };
        let why = format!(
            "the portal has an order {unknown} of this installation that the database does not know: the database is older than that order, or a copy of it is in use elsewhere"
        );
        tracing::error!("nothing is ordered: {why}; see `renewd accept --help`");
        self.store.doubt(now, &why).await?;
        self.doubted = Some(now);
        Ok(())
    }

    /// Something between us and the portal, or the portal, has carried out one request twice.
    async fn carried_out_twice(&mut self, now: Timestamp, named: &[String]) -> Result<(), TickError> {
        // A number that comes back cut off is the same for several orders.
        for number in named.iter().filter(|number| is_po_number(number)) {
            let carriers = self.store.carriers(number).await?;
            let Some(second) = carriers.get(1) else { continue };
            if self.store.is_noted("order.twice", second).await? {
                continue;
            }
            let what = format!(
                "the portal has carried out one order twice: {} all carry {number}; nothing more is ordered",
                carriers.join(" and ")
            );
            let detail = json!({"orders": carriers, "po_number": number});
            let command =
                "look in the portal whether these are different orders, and cancel all but one of them; then: renewd resume";
            self.stop_for(now, "order.twice", second, what, detail, command).await?;
        }
        Ok(())
    }

    /// A4: two installations on one account renew everything twice.
    async fn another_installation(&mut self, now: Timestamp, others: Vec<String>) -> Result<(), TickError> {
        let Some(other) = others.into_iter().find(|number| is_po_number(number)) else { return Ok(()) };
        if self.store.account().await?.bound_at.is_none() || self.store.is_noted("order.elsewhere", &other).await? {
            return Ok(());
        }
        let what = format!(
            "another installation of renewd orders on this portal account: an order {other} turned up; two installations renew everything twice, and nothing more is ordered here"
        );
        let command = "stop one of the two (after a reinstallation: the orders of the old one count); then: renewd resume";
        self.stop_for(now, "order.elsewhere", &other, what, json!({"po_number": other}), command).await
    }

    async fn stop_for(
        &mut self,
        now: Timestamp,
        kind: &'static str,
        order: &str,
        what: String,
        detail: serde_json::Value,
        command: &str,
    ) -> Result<(), TickError> {
        tracing::error!("{what}");
        let event = Happened { kind, order_no: Some(order.to_owned()), detail, ..Happened::default() };
        let message = Message {
            cause: format!("{kind}:{order}"),
            renewal: None,
            what: what.clone(),
            by: None,
            command: Some(command.to_owned()),
        };
        Ok(self.store.note_unexpected(now, event, &message, Some(&what)).await?)
    }

    /// A paid order that the portal does not have any more.
    pub(super) async fn notice_gone(&mut self, term: &DueTerm, order: &str) -> Result<(), TickError> {
        if self.store.is_noted("order.gone", order).await? {
            return Ok(());
        }
        let what = format!("the portal does not have order {order} any more, which has renewed it until {}", term.span.ends_on);
        let command = format!("look in the portal whether it is renewed; what happened: renewd history {}", term.typed());
        tracing::warn!(renewal = term.name, "{what}");
        let event = Happened { order_no: Some(order.to_owned()), ..words::event("order.gone", term, json!({})) };
        let message = words::message(term, &format!("gone:{order}"), &what, &command);
        Ok(self.store.note_unexpected(self.clock.now(), event, &message, None).await?)
    }

    /// Looks at the orders with these keys or rows, which are new in the portal's list, or changed, or whose details were just read.
    pub(super) async fn notice_orders(&mut self, now: Timestamp, keys: &[&str], rows: &[i64]) -> Result<(), TickError> {
        self.read_what_died(keys).await?;
        for strange in self.store.unexpected(now, keys, rows).await? {
            let kind = match strange.what.as_str() {
                "lives" => "order.lives_again",
                "died" | "uncounted" => "order.died",
                _ => "order.beside",
            };
            if self.store.is_noted(kind, &strange.order_no).await? {
                continue;
            }
            let event = Happened {
                kind,
                subscription: Some(strange.subscription),
                renewal: Some(strange.renewal.clone()),
                order_no: Some(strange.order_no.clone()),
                detail: json!({"status": strange.status, "ours": strange.ours}),
                ..Happened::default()
            };
            let message = told(&strange);
            tracing::warn!("{}", message.what);
            self.store.note_unexpected(now, event, &message, None).await?;
        }
        Ok(())
    }

    /// Whose an order was that is not paid any more; what cannot be read now is read when its renewal is due.
    async fn read_what_died(&mut self, keys: &[&str]) -> Result<(), TickError> {
        for key in self.store.died_unread(keys).await? {
            if let Some(listed) = self.store.listed_order(&key, &self.po_prefix).await? {
                self.read_detail_of(&listed).await?;
            }
        }
        Ok(())
    }
}

fn told(strange: &Unexpected) -> Message {
    let Unexpected { renewal, order_no, .. } = strange;
    let status = strange.status.as_deref().unwrap_or("there");
    let beside = strange.another.as_ref().map(|another| format!("; order {another} is for the same: it may be paid twice"));
    let beside = beside.unwrap_or_default();
    let what = match (strange.what.as_str(), &strange.ours) {
        ("lives", Some(ours)) => {
            format!(
                "{renewal}: order {order_no}, which was set aside as dead, is {status}; {ours} was ordered since: it may be paid twice"
            )
        }
        ("lives", None) => match &strange.ahead {
            Some(until) => {
                format!(
                    "{renewal}: order {order_no}, which had been paid until {until} and counted for nothing, is {status} again{beside}"
                )
            }
            None => {
                format!(
                    "{renewal}: order {order_no}, which was set aside as dead, is {status}; it holds any other order for it{beside}"
                )
            }
        },
        ("died", until) => format!(
            "{renewal}: order {order_no}, which had renewed it until {}, is {status} now",
            until.as_deref().unwrap_or_default()
        ),
        ("uncounted", until) => format!(
            "{renewal}: order {order_no}, which counted as what is paid until {}, is {status} now",
            until.as_deref().unwrap_or_default()
        ),
        ("renumbered", ours) => format!(
            "{renewal}: order {order_no} ({status}) shows the id or the PO number of ours, {}: it may be ours under another number",
            ours.as_deref().unwrap_or_default()
        ),
        (_, ours) => format!(
            "{renewal}: somebody else's order {order_no} ({status}) is for the same product and customer as ours, {}; it may be paid twice",
            ours.as_deref().unwrap_or_default()
        ),
    };
    let name = typed(renewal);
    let command = if matches!(strange.what.as_str(), "died" | "uncounted") {
        after_it_died(strange, &name)
    } else if strange.what == "lives" && strange.ours.is_none() && strange.ahead.is_some() {
        format!(
            "look in the portal until when it is paid by that, then: renewd rebase {name} DATE ({}); or cancel it there; see: renewd history {name}",
            words::DATE
        )
    } else if strange.what == "lives" && strange.ours.is_none() {
        format!(
            "if it counts: renewd resolve {name} --order-no {order_no}; if not: cancel it in the portal; see: renewd history {name}"
        )
    } else if strange.what == "renumbered" {
        format!(
            "look in the portal whether there are two: if so, cancel one; if not: renewd resolve {name} --order-no {order_no}; see: renewd history {name}"
        )
    } else {
        format!("look at both in the portal, and cancel one if they are for the same; see: renewd history {name}")
    };
    Message {
        cause: format!("strange:{order_no}:{}", strange.what),
        renewal: Some(renewal.clone()),
        what,
        by: None,
        command: Some(command),
    }
}

/// What helps when an order that had paid does not any more, and its term has begun.
fn after_it_died(strange: &Unexpected, name: &str) -> String {
    let until = strange.ours.as_deref().unwrap_or_default();
    let go_on = match (&strange.another, &strange.ahead) {
        (Some(another), _) => format!(
            "order {another} is for the same product and customer: look in the portal until when it is paid by that, then: renewd rebase {name} DATE ({}); if it is not paid, renew it there by hand",
            words::DATE
        ),
        // No command can order it: what was ordered ahead stands where it is booked.
        (None, Some(ahead)) => format!(
            "if it is to go on: renew it in the portal by hand, nothing else is to be done (until {ahead} it is ordered already)"
        ),
        (None, None) => {
            format!("if it is to go on: renew it in the portal by hand, then: renewd rebase {name} DATE ({})", words::DATE)
        }
    };
    let next = if strange.ahead.is_some() { "the next order is made all the same" } else { "the next term is held until then" };
    format!("{go_on}; if it ends: renewd skip {name} --term {}; {next}", strange.ahead.as_deref().unwrap_or(until))
}

/// Whether a text is a `poNumber` as renewd makes them, and not a customer's own that begins alike: prefix, installation, order.
fn is_po_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_id = |part: &str| part.len() == 10 && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    matches!(parts[..], ["RW", installation, order] if is_id(installation) && is_id(order))
}

#[cfg(test)]
mod tests;
