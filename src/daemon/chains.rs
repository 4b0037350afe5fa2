//! `skip` and `rebase`: a person ends a chain of terms, or begins another (R4, R26).
//!
//! Owns what ends with it, and which dates another chain may have. Never ends a chain whose order may exist.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use serde_json::json;

use super::commands::{Desk, Done, FAR, Refused, spoken, what_keeps_it_from_going_again};
use super::sound::named;
use super::words;
use crate::renewal::chain::{self, Moments};
use crate::renewal::evidence::{self, Listed};
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

/// So long before its term begins an order is hardly made.
pub(super) const BEFORE: SignedDuration = SignedDuration::from_hours(62 * 24);
/// After an order, so long `skip NAME` does not mean the next term.
const RECENTLY: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Desk<'_> {
    /// R26: ends the chain.
    pub(super) async fn skip(&mut self, id: i64, early: bool) -> Done {
        let term = self.term(id).await?;
        if !early && self.now < term.moments.due_at {
            self.refuse_if_just_renewed(&term).await?;
        }
        let evidence = term.reason == Some(Reason::NoEvidence);
        if !matches!(term.state, TermState::Scheduled | TermState::AwaitingApproval | TermState::Held) || evidence {
            return Err(Refused::No(format!(
                "{} is {}; it cannot be skipped{}",
                term.name,
                spoken(term.state),
                what_keeps_it_from_going_again(term.state)
            )));
        }
        self.refuse_if_alive(&term).await?;
        let detail = format!("skipped by {}; nothing is ordered for it any more", self.by);
        let step = Move {
            warn_at: None,
            reason: Some(Reason::Skipped),
            detail: Some(detail),
            candidates: foreign(&term).to_vec(),
            ..Move::of(&term, TermState::Skipped)
        };
        let mut write = self.by_hand("term.skipped", &term, &json!({}), step);
        let next = self.store.successor(&term).await?;
        let goes_on = next.as_ref().filter(|next| next.attempt.is_some());
        if let Some(next) = next.as_ref().filter(|next| next.attempt.is_none()) {
            self.end_as_well(next, Reason::Skipped, &mut write);
        }
        for missed in self.store.missed_before(&term).await? {
            self.end_as_well(&missed, Reason::Skipped, &mut write);
        }
        self.store.write(self.now, write).await?;
        let next = next.as_ref().map(|next| next.span.starts_on);
        Ok(match (goes_on, next) {
            (Some(next), _) => format!(
                "{0}: the term from {1} is skipped; the one from {2} is {3} and goes on",
                term.typed(),
                term.span.starts_on,
                next.span.starts_on,
                spoken(next.state)
            ),
            (None, next) => format!(
                "{0}: the term from {1} is skipped{2}; to go on later: renewd rebase {0} DATE ({3})",
                term.typed(),
                term.span.starts_on,
                next.map(|next| format!(", and that from {next} with it")).unwrap_or_default(),
                words::DATE
            ),
        })
    }

    /// Whoever reads an old message, or looks a moment too late, means the term that was renewed since, and not the next one.
    async fn refuse_if_just_renewed(&mut self, next: &DueTerm) -> Result<(), Refused> {
        let Some(ordered) = self.store.unpaid(next.id).await?.previous_order_at else { return Ok(()) };
        if self.now.duration_since(ordered) > RECENTLY {
            return Ok(());
        }
        Err(Refused::No(format!(
            "{0} was renewed until {1} since; if the term from {1} is meant: renewd skip {0} --term {1}",
            next.typed(),
            next.span.starts_on
        )))
    }

    /// R26: skipping ends the chain, and `rebase` begins another. Where an order died after its term was renewed, the next term has begun already.
    fn end_as_well(&self, next: &DueTerm, reason: Reason, write: &mut Write) {
        let detail = format!("the chain was ended by {} with another of its terms", self.by);
        let step = Move { warn_at: None, reason: Some(reason), detail: Some(detail), ..Move::of(next, TermState::Skipped) };
        let also = self.by_hand("term.skipped", next, &json!({"why": "the chain was ended with another of its terms"}), step);
        write.moves.extend(also.moves);
        write.events.extend(also.events);
    }

    /// R4, R26: another chain begins on `to`.
    pub(super) async fn rebase(&mut self, subscription: i64, to: Date, why: &str, far: bool) -> Done {
        let term = self.store.current_term(subscription).await?.ok_or_else(|| Refused::No("it has no term".to_owned()))?;
        Self::in_the_file(&term)?;
        if term.state == TermState::Held && term.reason == Some(Reason::Operator) {
            return Err(Refused::No(format!(
                "{0} is held, and another chain would go on without that: renewd release {0}",
                term.typed()
            )));
        }
        let undecided = term.state.may_exist() && term.state != TermState::Renewed;
        if undecided || matches!(term.reason, Some(Reason::DeadOrder | Reason::RefundedLater)) {
            return Err(Refused::No(format!(
                "{0} is {1}: an order for it may exist; settle that first: renewd resolve {0} …",
                term.typed(),
                spoken(term.state)
            )));
        }
        let span = chain::term_at(to, 0, term.standing.cycle()).map_err(|error| Refused::No(error.to_string()))?;
        let moments =
            chain::moments(span.starts_on, &term.standing, &self.config.zone).map_err(|error| Refused::No(error.to_string()))?;
        self.sane_date(&term, to, &moments, far)?;
        if let Some(paid) = self.store.paid_until(subscription).await?.filter(|paid| to < *paid) {
            return Err(Refused::No(format!(
                "{} is paid until {paid}; a new chain cannot begin before that (if one of its orders was refunded, renew what that had paid in the portal by hand)",
                term.name
            )));
        }
        let detail = format!("rebased to {to} by {}: {why}", self.by);
        let step =
            Move { warn_at: None, reason: Some(Reason::Rebased), detail: Some(detail), ..Move::of(&term, TermState::Skipped) };
        let mut write = self.by_hand("chain.rebased", &term, &json!({"to": to.to_string(), "why": why}), step);
        if term.state == TermState::Renewed {
            write.moves.clear();
        }
        if let Some(next) = self.store.successor(&term).await? {
            if next.attempt.is_some() {
                return Err(Refused::No(format!(
                    "the next term of {}, from {}, is {}: settle that first: renewd history {}",
                    term.name,
                    next.span.starts_on,
                    spoken(next.state),
                    term.typed()
                )));
            }
            self.end_as_well(&next, Reason::Rebased, &mut write);
        }
        for missed in self.store.missed_before(&term).await? {
            self.end_as_well(&missed, Reason::Rebased, &mut write);
        }
        let (counted, said) = self.counted(&term, to).await?;
        self.store.rebase(self.now, subscription, &span, &moments, &counted, write).await?;
        super::roster::take_again(self.store, self.now).await?;
        let moments = self.store.current_term(subscription).await?.map_or(moments, |term| term.moments);
        let due = moments.due_at.to_zoned(self.config.zone.clone()).strftime("%Y-%m-%d %H:%M");
        let due = if moments.due_at <= self.now { "now".to_owned() } else { format!("on {due}") };
        let said = said.map(|order| format!("; order {order} counts as what is paid until then")).unwrap_or_default();
        Ok(format!("{}: the next term begins on {to} and is due {due}{said}", term.name))
    }

    /// Orders of others that a person counts by saying that it is paid until `to`, which is later than without them: those that he was shown; and the one
    /// that was paid for this customer and can end there. Of several nobody can say which he means, and one that pays on from `to` holds.
    async fn counted(&mut self, term: &DueTerm, to: Date) -> Result<(Vec<String>, Option<String>), Refused> {
        if to <= term.span.starts_on {
            return Ok((Vec::new(), None));
        }
        let shown: Vec<String> = foreign(term).iter().chain(&term.dismissed).cloned().collect();
        let unpaid = self.store.unpaid(term.id).await?;
        let since = unpaid.previous_order_at.unwrap_or(unpaid.begun_at);
        let others = self.store.foreign_since(since, self.now, self.po_prefix).await?;
        let paid = |order: &Listed| evidence::is_paid(order.status.as_deref()) && names(order, term);
        let mut paid = others.into_iter().filter(paid);
        let mut only = paid.next().filter(|order| paid.next().is_none() && ends_on(order, term, to));
        if let Some(at) = only.as_ref().and_then(|order| order.created_at)
            && self.was_paid_by_another(term, at, at).await?
        {
            only = None; // what was paid until now was paid by that one, most likely
        }
        let said =
            only.as_ref().filter(|order| !shown.contains(&order.key)).map(|order| named(&order.key, std::slice::from_ref(order)));
        Ok((shown.into_iter().chain(only.map(|order| order.key)).collect(), said))
    }

    /// R5 for `rebase`: a chain that would be missed at once, or that nobody would hear of for years, was hardly meant.
    fn sane_date(&self, term: &DueTerm, to: Date, moments: &Moments, far: bool) -> Result<(), Refused> {
        let name = term.typed();
        if self.now >= chain::last_chance(moments.deadline_at, term.standing.grace_days) {
            return Err(Refused::No(format!(
                "{to} has passed, so nothing could be ordered for it any more; {}: renewd rebase {name} DATE",
                words::DATE
            )));
        }
        if !far && moments.deadline_at.duration_since(self.now) > FAR {
            return Err(Refused::No(format!(
                "{to} is more than {} days ahead, and until then nothing would be ordered; if that is meant: renewd rebase {name} {to} --far",
                FAR.as_hours() / 24
            )));
        }
        Ok(())
    }
}

/// R11: the orders of others for which a term was held, or is skipped.
fn foreign(term: &DueTerm) -> &[String] {
    if matches!(term.reason, Some(Reason::ForeignOrder | Reason::Skipped)) { &term.candidates } else { &[] }
}

/// Whether an order says by itself that it is for the product, customer and serial number of `term`.
pub(super) fn names(order: &Listed, term: &DueTerm) -> bool {
    let (facts, identity) = (&order.facts, &term.identity);
    let same = |theirs: &Option<String>, ours: Option<String>| theirs.is_some() && *theirs == ours;
    same(&facts.product, Some(identity.product_id.to_string()))
        && same(&facts.partner, identity.party.text())
        && (facts.serial.is_none() || facts.serial == identity.serial)
}

/// Whether what `order` pays can end on `to`: it is for one term, and was made as that began, or in the months before.
fn ends_on(order: &Listed, term: &DueTerm, to: Date) -> bool {
    let months = i64::from(term.standing.cycle_months);
    let one_term = order.facts.months.iter().all(|theirs| i64::try_from(*theirs) == Ok(months));
    let began = to.saturating_sub(Span::new().months(months));
    let (from, until) = (began.saturating_sub(BEFORE), began.saturating_add(Span::new().days(7 * months.min(4))));
    let made = order.created_at.map(|at| at.to_zoned(TimeZone::UTC).date());
    one_term && made.is_some_and(|made| from <= made && made <= until)
}
