//! Never silently late: what the oracle asks at each deadline.

use jiff::{SignedDuration, Timestamp};

use super::{Complaint, Oracle, must, orders_of, read};
use crate::sandbox::{PlacedBy, Sandbox};
use crate::simulation::figures::Figures;
use crate::simulation::file::{Plan, Unwanted};
use crate::store::Store;

impl Oracle {
    /// Warnings from here on count as in time.
    pub(in crate::simulation) async fn mark(&mut self, store: &mut Store, plan: usize, k: u32) -> Result<(), Complaint> {
        let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM outbox")
            .fetch_one(&mut store.conn)
            .await
            .map_err(|e| read(&e))?;
        self.marks.insert((plan, k), newest);
        Ok(())
    }

    /// Never silently late: at a deadline there is exactly one living, paid order, or a person was told.
    #[allow(clippy::too_many_arguments)]
    pub(in crate::simulation) async fn deadline(
        &mut self,
        store: &mut Store,
        sandbox: &Sandbox,
        plan: &Plan,
        (at, k): (usize, u32),
        now: Timestamp,
        skew: SignedDuration,
        figures: &mut Figures,
    ) -> Result<(), Complaint> {
        let skipped = matches!(plan.unwanted, Some(Unwanted::Skipped(_, from)) if from <= k);
        if !plan.listed || plan.broken_off || skipped || plan.settled_by_people.contains(&k) {
            return Ok(());
        }
        figures.deadlines += 1;
        let by_content: Vec<String> = sqlx::query_scalar(
            "SELECT order_no FROM attempt WHERE state = 'placed' AND matched_by = 'content' AND order_no IS NOT NULL",
        )
        .fetch_all(&mut store.conn)
        .await
        .map_err(|e| read(&e))?;
        let renewed = sandbox.with_orders(|orders| {
            orders.iter().any(|o| {
                (o.placed_by == PlacedBy::Us || by_content.contains(&o.order_no))
                    && o.status == "succeed"
                    && plan.is_renewed_by(&o.request)
                    && plan.term_of(o.created_at, &self.zone) == k
            })
        });
        if renewed {
            figures.renewed_in_time += 1;
            return Ok(());
        }
        if self.told_whose(store, plan).await? {
            figures.told_in_time += 1;
            return Ok(());
        }
        if self.chain_has_ended(store, plan).await? {
            return Ok(());
        }
        must(!self.nature.calm, || format!("{} is not renewed at its deadline {now} although nothing went wrong", plan.name()))?;
        // An order that died within two looks of its term's beginning is told then at the latest.
        if self.died_lately(&orders_of(sandbox, plan, k, &self.zone), now) {
            return Ok(());
        }
        let away = skew != SignedDuration::ZERO || self.was_away(now);
        let mark = self.marks.get(&(at, k)).copied();
        match (told_since(store, plan, mark, now).await?, away || mark.is_none()) {
            (true, _) => figures.told_in_time += 1,
            (false, true) => figures.nobody_could_tell += 1,
            (false, false) => {
                return Err(Complaint::new(format!(
                    "silently late: {} is not renewed at its deadline {now}, and nobody was told",
                    plan.name()
                )));
            }
        }
        Ok(())
    }

    /// Somebody cancelled or refunded an order of ours.
    pub(in crate::simulation) fn ended_badly(&mut self, order: &str, now: Timestamp) {
        self.bad_ends.insert(order.to_owned(), now);
    }

    /// The portal cannot be read for so long.
    pub(in crate::simulation) fn blind(&mut self, from: Timestamp, span: SignedDuration) {
        // One that begins before the last has ended makes it longer.
        let begun = self.blind.filter(|(until, _)| *until >= from).map_or(from, |(until, span)| until - span);
        let until = self.blind.map_or(from + span, |(until, _)| until.max(from + span));
        self.blind = Some((until, until.duration_since(begun)));
    }

    pub(super) fn died_lately(&self, orders: &[String], now: Timestamp) -> bool {
        let blind =
            |died: Timestamp| self.blind.filter(|(until, _)| *until > died).map_or(SignedDuration::ZERO, |(_, span)| span);
        orders
            .iter()
            .filter_map(|order| self.bad_ends.get(order))
            .any(|at| now.duration_since(*at) < SignedDuration::from_hours(60) + blind(*at))
    }

    /// A8: the answer named another's order, nothing in the portal tells them apart, and people were told that they are to look.
    async fn told_whose(&self, store: &mut Store, plan: &Plan) -> Result<bool, Complaint> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE cause LIKE '%:recorded:%' AND renewal IN (SELECT value FROM json_each($1)))",
        )
        .bind(serde_json::to_string(&plan.names).unwrap_or_default())
        .fetch_one(&mut store.conn)
        .await
        .map_err(|e| read(&e))
    }

    /// A chain that ended with an earlier term was told then (R26).
    async fn chain_has_ended(&self, store: &mut Store, plan: &Plan) -> Result<bool, Complaint> {
        let state: Option<(String, i64)> = sqlx::query_as(
            "SELECT t.state, (SELECT count(*) FROM outbox o WHERE o.cause LIKE 'term:' || t.id || ':%')
             FROM term t JOIN subscription s ON s.id = t.subscription_id WHERE s.item_id = $1 AND s.partner_id = $2 AND s.batch = '' ORDER BY t.id DESC LIMIT 1",
        )
        .bind(plan.item.to_string())
        .bind(plan.partner.map(|id| id.to_string()).unwrap_or_default())
        .fetch_optional(&mut store.conn)
        .await
        .map_err(|e| read(&e))?;
        // An older database knows nothing of a chain that a person let go on since.
        let forgotten = self.restored && state.as_ref().is_some_and(|(state, _)| state == "skipped");
        Ok(forgotten || state.is_some_and(|(state, told)| matches!(state.as_str(), "missed" | "skipped") && told > 0))
    }

    pub(super) fn was_away(&self, now: Timestamp) -> bool {
        let window = now - SignedDuration::from_hours(90);
        let before = self.away.iter().rev().find(|(at, _)| *at < window).is_some_and(|(_, away)| *away);
        before || self.away.iter().any(|(at, away)| *at >= window && *away)
    }
}

/// Whether people heard of `plan` after the message `mark`; of an earlier term that still stands in the way, they hear every week.
async fn told_since(store: &mut Store, plan: &Plan, mark: Option<i64>, now: Timestamp) -> Result<bool, Complaint> {
    let names = serde_json::to_string(&plan.names).unwrap_or_default();
    let told: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM outbox WHERE renewal IN (SELECT value FROM json_each($2)) AND (id > $1 OR created_at > $3 AND body ->> 'by' < $4)",
    )
    .bind(mark.unwrap_or(0))
    .bind(names)
    .bind(format!("{:.3}", now - SignedDuration::from_hours(24 * 8)))
    .bind(format!("{:.3}", now - SignedDuration::from_hours(24)))
    .fetch_one(&mut store.conn)
    .await
    .map_err(|e| read(&e))?;
    Ok(told > 0)
}
