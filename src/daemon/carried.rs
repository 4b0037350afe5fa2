//! Orders of ours that the portal carried out otherwise than they were sent.
//!
//! Owns telling people, once for each. Such an order counts as what renews its term: it is paid, and nothing can be sent in its place. Never holds.

use serde_json::json;

use super::engine::{Engine, TickError};
use super::words;
use crate::renewal::carried;
use crate::renewal::evidence::Listed;
use crate::renewal::facts::Facts;
use crate::store::attempts::Attempt;
use crate::store::audit::Happened;
use crate::store::terms::DueTerm;

impl Engine {
    /// A paid order that shows another quantity, length or service than was sent. Where the portal shows the order before it otherwise too, that is its way
    /// to show them, which people have heard of with the first.
    pub(super) async fn notice_otherwise(&mut self, term: &DueTerm, attempt: &Attempt, listed: &Listed) -> Result<(), TickError> {
        if !listed.detailed || !attempt.is_certain() {
            return Ok(());
        }
        let otherwise = self.otherwise(attempt.id, listed).await?;
        let told = self.store.is_noted("order.otherwise", &listed.key).await?;
        if otherwise.is_empty() || told || self.are_all_shown_otherwise(term, attempt).await? {
            return Ok(());
        }
        let otherwise = otherwise.join(", ");
        let what = format!("order {}, which has renewed it, shows {otherwise} in the portal", listed.key);
        let command = format!("look at order {} in the portal; what was sent: renewd history {}", listed.key, term.typed());
        tracing::warn!(renewal = term.name, "{what}");
        let event = Happened {
            order_no: Some(listed.key.clone()),
            ..words::event("order.otherwise", term, json!({"otherwise": otherwise}))
        };
        let message = words::message(term, &format!("otherwise:{}", listed.key), &what, &command);
        Ok(self.store.note_unexpected(self.clock.now(), event, &message, None).await?)
    }

    async fn otherwise(&mut self, attempt: i64, listed: &Listed) -> Result<Vec<String>, TickError> {
        let Some(request) = self.store.request_of(attempt).await? else { return Ok(Vec::new()) };
        Ok(carried::otherwise(&Facts::of(&request, None), &listed.facts))
    }

    /// The order that this customer had before says so; before his first, our newest of the kind.
    async fn are_all_shown_otherwise(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<bool, TickError> {
        let before = match self.store.order_before(term.subscription, attempt.id).await? {
            Some(before) => Some(before),
            None => self.store.newest_of_kind(&term.identity, Some(attempt.id)).await?.map(|known| known.attempt),
        };
        let Some(before) = before else { return Ok(false) };
        let Some(listed) = self.store.listed_attempt(before, &self.po_prefix).await? else { return Ok(false) };
        Ok(!self.otherwise(before, &listed).await?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon::testing::{World, file};

    /// It is its way to show orders, as people have heard with the first.
    #[tokio::test]
    async fn a_portal_that_shows_all_quantities_otherwise_is_told_once() {
        let (mut world, _, retold) = World::before_sandbox().await;
        retold.say_where("", r#""quantity":3"#, r#""quantity":1"#);
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2028-02-16T09:00:00Z", "2028-02-16T10:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await[1], "renewed ");
        assert_eq!((world.told("term:1:otherwise").await.len(), world.told("term:2:otherwise").await.len()), (1, 0));
    }

    /// From the second year on the portal carried out one in place of three: it was renewed, and nobody was told.
    #[tokio::test]
    async fn an_order_that_was_carried_out_for_another_quantity_is_told() {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        for now in ["2027-02-15T09:00:00Z", "2027-02-15T10:00:00Z", "2028-02-16T09:00:00Z"] {
            world.live_until(now).await;
        }
        let second = sandbox.orders()[1].order_no.clone();
        retold.say_where(&second, r#""quantity":3"#, r#""quantity":1"#);
        for now in ["2028-02-16T10:00:00Z", "2028-02-20T10:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(world.states().await[1], "renewed ");
        let told = world.told("term:2:otherwise").await;
        assert!(told.len() == 1 && told[0].contains("x1 in place of x3") && told[0].contains(&second), "{told:?}");
    }

    /// The first of them was told, and was taken for the portal's way to show the others.
    #[tokio::test]
    async fn every_customer_whose_order_was_carried_out_otherwise_is_told() {
        let (mut world, sandbox, retold) = World::before_sandbox().await;
        let another = "[[renewal]]\nname = \"two\"\npartner_id = 2\nexpires_on = 2027-03-03\n";
        world.take_text(&format!("{}{another}", file("2027-03-01"))).await;
        for now in ["2027-02-15T12:00:00Z", "2027-02-16T12:00:00Z", "2027-02-17T12:00:00Z", "2027-02-18T12:00:00Z"] {
            world.live_until(now).await;
        }
        assert_eq!(sandbox.orders().len(), 2);
        for (due, read) in [("2028-02-16T09:00:00Z", "2028-02-16T10:00:00Z"), ("2028-02-18T09:00:00Z", "2028-02-18T10:00:00Z")] {
            world.live_until(due).await;
            let order = sandbox.orders().last().unwrap().order_no.clone();
            retold.say_where(&order, r#""quantity":3"#, r#""quantity":1"#);
            world.live_until(read).await;
        }
        assert_eq!((sandbox.orders().len(), world.told("term:").await.len()), (4, 2), "{:?}", world.told("").await);
    }
}
