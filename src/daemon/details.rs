//! Reading the details of orders (R18).
//!
//! Owns when they are read, and read again: a portal may still be writing them, and shows an unpaid order otherwise than a paid one. What they
//! prove is `renewal/evidence.rs`.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, after};
use crate::portal::client::Read;
use crate::portal::read_error::ReadError;
use crate::portal::wire::OrderDetail;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::facts;
use crate::store::details::{Settling, Undetailed};

/// Details that come as garbage for so long are the order's, and not the line's.
const GARBAGE: SignedDuration = SignedDuration::from_mins(10);
/// So long the details of one order may be unreadable while others wait for them.
const UNREADABLE: SignedDuration = SignedDuration::from_hours(24);
/// After so many that cannot be read in one go it is the portal that is not well.
const FAILURES_AT_ONCE: u8 = 3;

impl Engine {
    /// Reads the details of orders that are not ours, where they were never read or do not stand yet: those after row `mark`, and those made since
    /// `since`.
    pub(super) async fn read_details(&mut self, mark: i64, since: Option<Timestamp>) -> Result<Result<(), ReadError>, TickError> {
        let (mut beyond, mut failed, mut failures) = (0, None, 0);
        loop {
            let missing = self.store.without_detail(mark, since, beyond, self.clock.now(), 100).await?;
            let Some(last) = missing.last() else { return Ok(failed.map_or(Ok(()), Err)) };
            beyond = last.mark;
            tracing::debug!(orders = missing.len(), "reading the details of orders that others placed");
            for (index, order) in missing.iter().enumerate() {
                self.give_way().await?;
                match self.portal.order_of(order.portal_id.as_deref(), order.order_no.as_deref()).await {
                    Ok(detail) => {
                        self.take_detail(order.mark, &detail).await?;
                        self.notice_late(self.clock.now(), &[&detail.value.raw]).await?;
                        self.notice_orders(self.clock.now(), &[], &[order.mark]).await?;
                    }
                    // Listed but not readable: until it is, an order that explains nothing.
                    Err(error) if self.unreadable_for(order.mark).await? >= patience(&error) => {
                        self.explains_nothing(order, &error).await?;
                    }
                    Err(error) => {
                        failures += u8::from(!matches!(error, ReadError::Malformed { .. }));
                        if failures == FAILURES_AT_ONCE {
                            for untried in &missing[index + 1..] {
                                self.unreadable_for(untried.mark).await?;
                            }
                            return Ok(Err(error));
                        }
                        failed = Some(error);
                    }
                }
            }
        }
    }

    /// Looks once more at orders of others that are not paid, in the list, as far down as they stand, and those that are dead in their details too:
    /// one that failed or was cancelled can be paid after all, also while the others are looked at. What cannot be read is said in words for people;
    /// near `deadline` it is waited for less long.
    pub(super) async fn look_again_at(
        &mut self,
        unpaid: &[Listed],
        deadline: Timestamp,
    ) -> Result<Result<(), String>, TickError> {
        let made: Option<Vec<Timestamp>> = unpaid.iter().map(|order| order.created_at).collect();
        let down_to = made.and_then(|made| made.into_iter().min()).map(|at| after(at, SignedDuration::from_mins(-1)));
        let many = unpaid.len();
        let dead = unpaid.iter().filter(|order| evidence::is_dead(order.status.as_deref()));
        let dead: Vec<&Listed> = dead.filter(|order| !self.was_looked_at(order.mark, many)).collect();
        if let Err(error) = self.read_rows_unless_read(down_to).await? {
            return Ok(Err(format!("the list cannot be read: {error}")));
        }
        for order in dead {
            if let Err(why) = self.look_at_dead(order, deadline).await? {
                return Ok(Err(why));
            }
        }
        let read = self.read_rows_unless_read(down_to).await?;
        Ok(read.map_err(|error| format!("the list cannot be read: {error}")))
    }

    /// Where its details do not say how it stands, it stands as the list has it.
    async fn look_at_dead(&mut self, order: &Listed, deadline: Timestamp) -> Result<Result<(), String>, TickError> {
        self.give_way().await?;
        match self.portal.order_of(order.portal_id.as_deref(), order.order_no.as_deref()).await {
            Ok(detail) if facts::status(&detail.value.value).is_some() => {
                self.take_detail(order.mark, &detail).await?;
                self.notice_orders(self.clock.now(), &[], &[order.mark]).await?;
            }
            Ok(_) => {}
            Err(error) if self.is_out_of_patience(order.mark, &error, deadline).await? => {
                tracing::warn!(order = order.key, "an order that is dead cannot be looked at again: {error}");
            }
            Err(error) => return Ok(Err(how_it_stands(&order.key, &error))),
        }
        self.looked_at.insert(order.mark, self.clock.now());
        Ok(Ok(()))
    }

    /// Whether the last look at this order, one of so many, holds.
    fn was_looked_at(&self, mark: i64, many: usize) -> bool {
        let (now, holds) = (self.clock.now(), a_look_holds(many).saturating_add(self.reading_took()));
        self.looked_at.get(&mark).is_some_and(|at| *at <= now && now.duration_since(*at) < holds)
    }

    /// Whether the list decides, and details that cannot be read are not waited for any more: a day, or a quarter of what is left.
    pub(super) async fn is_out_of_patience(
        &mut self,
        mark: i64,
        error: &ReadError,
        deadline: Timestamp,
    ) -> Result<bool, TickError> {
        let left = deadline.duration_since(self.clock.now());
        Ok(self.unreadable_for(mark).await? >= patience(error).min(evidence::settle(None, left)))
    }

    pub(super) async fn unreadable_for(&mut self, row: i64) -> Result<SignedDuration, TickError> {
        let now = self.clock.now();
        Ok(now.duration_since(self.store.note_unreadable(row, now).await?))
    }

    async fn explains_nothing(&mut self, order: &Undetailed, error: &ReadError) -> Result<(), TickError> {
        tracing::warn!(order = order.order_no, id = order.portal_id, "the details of an order are no evidence: {error}");
        let (now, settling) = (self.clock.now(), self.settling());
        Ok(self.store.take_detail(order.mark, "null", now, settling).await?)
    }

    /// Reads the details of one order; false where they cannot be read now.
    pub(super) async fn read_detail_of(&mut self, listed: &Listed) -> Result<bool, TickError> {
        match self.portal.order_of(listed.portal_id.as_deref(), listed.order_no.as_deref()).await {
            Ok(detail) => {
                self.take_detail(listed.mark, &detail).await?;
                Ok(true)
            }
            Err(error) => {
                tracing::debug!(order = listed.key, "the details cannot be read now: {error}");
                Ok(false)
            }
        }
    }

    /// Before an absence counts: the details of orders since the fence that may still change are read once more, however young. `None`: there are
    /// none; false: they cannot be read now.
    pub(super) async fn read_young_again(&mut self, since: &[Listed]) -> Result<Option<bool>, TickError> {
        let mut read = None;
        for order in since.iter().filter(|order| order.again_at.is_some() && (order.attempt.is_none() || order.by_answer)) {
            read = Some(self.read_detail_of(order).await?);
            if read == Some(false) {
                break;
            }
        }
        Ok(read)
    }

    /// Details that call an order of ours dead count, whatever its row says. Returns whether they do.
    pub(super) async fn take_death(&mut self, mark: i64, detail: &Read<OrderDetail>) -> Result<bool, TickError> {
        let dead = facts::status(&detail.value.value).filter(|status| evidence::is_dead(Some(status)));
        if let Some(status) = &dead {
            self.store.take_status(self.clock.now(), mark, status).await?;
        }
        Ok(dead.is_some())
    }

    pub(super) async fn take_detail(&mut self, mark: i64, detail: &Read<OrderDetail>) -> Result<(), TickError> {
        // By the earlier of the two clocks: read by one that is ahead, they would stand too soon.
        let read = detail.date.map_or(self.clock.now(), |date| date.min(self.clock.now()));
        let settling = self.settling();
        Ok(self.store.take_detail(mark, &detail.value.raw, read, settling).await?)
    }

    /// R20: the settle of a term near its deadline, and of one far from it.
    fn settling(&self) -> Settling {
        let set = self.config.portal.settle.and_then(|span| SignedDuration::try_from(span).ok());
        Settling { shortest: evidence::settle(set, SignedDuration::ZERO), longest: evidence::settle(set, SignedDuration::MAX) }
    }
}

/// How long a look at one of so many orders holds, beside what reading the list takes: longer than it takes to look at all of them, or an order that
/// waits for that would never go.
fn a_look_holds(many: usize) -> SignedDuration {
    let each = SignedDuration::from_secs(20);
    SignedDuration::from_mins(2).saturating_add(each.saturating_mul(i32::try_from(many).unwrap_or(i32::MAX)))
}

/// What people are told of an order that keeps others from going.
pub(super) fn how_it_stands(order: &str, error: &ReadError) -> String {
    format!("how order {order} stands cannot be read, and it may have renewed this: {error}")
}

/// So long an order whose details cannot be read is waited for; what the portal refuses to show is not.
fn patience(error: &ReadError) -> SignedDuration {
    match error {
        ReadError::NotFound { .. } | ReadError::Refused { .. } => SignedDuration::ZERO,
        ReadError::Malformed { .. } => GARBAGE,
        _ => UNREADABLE,
    }
}
