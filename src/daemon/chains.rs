//! `skip` and `rebase`: a person ends a chain of terms, or begins another (R4, R26).
//!
//! Owns what ends with it, and which dates another chain may have. Never ends a chain whose order may exist.

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::json;

use super::commands::{Desk, Done, FAR, Refused, spoken, what_keeps_it_from_going_again};
use super::counted::foreign;
use super::words;
use crate::renewal::chain::{self, Moments};
use crate::renewal::state::{Reason, TermState};
use crate::store::moves::{Move, Write};
use crate::store::terms::DueTerm;

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
        let counted = self.counted(&term, to).await?;
        let (pay, left, since) = counted.shown();
        let since = since.map(crate::store::text::time);
        let said = json!({"to": to.to_string(), "why": why, "counted": pay, "left": left, "since": since});
        let mut write = self.by_hand("chain.rebased", &term, &said, step);
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
        self.store.rebase(self.now, subscription, &span, &moments, &counted.keys(), write).await?;
        super::roster::take_again(self.store, self.now).await?;
        let moments = self.store.current_term(subscription).await?.map_or(moments, |term| term.moments);
        let due = moments.due_at.to_zoned(self.config.zone.clone()).strftime("%Y-%m-%d %H:%M");
        let due = if moments.due_at <= self.now { "now".to_owned() } else { format!("on {due}") };
        Ok(format!("{}: the next term begins on {to} and is due {due}{}", term.name, counted.said()))
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
