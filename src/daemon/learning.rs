//! What this portal shows of our orders (R22).
//!
//! Owns reading an order of ours back: the first of its kind, and the newest of its kind again before an absence counts (R19 c). Never
//! concludes anything about an order of unknown fate.

use super::engine::{Engine, TickError};
use crate::portal::read_error::ReadError;
use crate::renewal::evidence::{self, Listed};
use crate::renewal::learned::{Learned, lessons};
use crate::rules::{Rule, kept};
use crate::store::attempts::Attempt;
use crate::store::terms::DueTerm;

impl Engine {
    /// R22: the first order of a kind teaches what this portal shows; the details are read once for it, and again where they did not stand yet: they
    /// may have been a placeholder, or those of an order that was not paid. What they show then takes the place of what they showed.
    pub(super) async fn learn_from(
        &mut self,
        term: &DueTerm,
        attempt: &Attempt,
        listed: &Listed,
        learned: &Learned,
    ) -> Result<(), TickError> {
        let complete = learned.complete_for(&term.identity);
        let due =
            complete && listed.again_at.is_some_and(|at| at <= self.clock.now()) && !evidence::is_dead(listed.status.as_deref());
        let again = due && self.store.is_only_teacher(&term.identity, &listed.key).await?;
        // What somebody else ordered teaches nothing about ours.
        if (complete && !again) || !attempt.is_certain() {
            return Ok(());
        }
        if listed.portal_id.is_none() && listed.order_no.is_none() {
            return Ok(());
        }
        match self.portal.order_of(listed.portal_id.as_deref(), listed.order_no.as_deref()).await {
            Ok(detail) => self.take_detail(listed.mark, &detail).await?,
            Err(ReadError::NotFound { .. } | ReadError::Malformed { .. }) => {}
            Err(error) => {
                tracing::warn!(renewal = term.name, "cannot read the order back yet: {error}");
                return Ok(());
            }
        }
        let Some(listed) = self.store.listed_attempt(attempt.id, &self.po_prefix).await? else { return Ok(()) };
        let before = if again { Learned::default() } else { learned.clone() };
        let lessons = before.with(&lessons(&term.identity, &listed, &attempt.po_number));
        tracing::info!(
            renewal = term.name,
            order_no = attempt.order_no,
            ?lessons,
            again,
            "read the first order of its kind back"
        );
        Ok(self.store.learn(self.clock.now(), &term.identity, &listed.key, &lessons).await?)
    }

    /// R19 c: whether the newest order of this kind that is known to be ours, other than that of the attempt `except`, still shows what was learned. What a portal shows may change from
    /// one version to the next; then our own order looks like another customer's, and its absence is none. What changed is unlearned.
    /// One that is not paid shows nothing of what paid ones show: then none of the orders `since` the fence may be explained by that.
    pub(super) async fn still_as_learned(
        &mut self,
        term: &DueTerm,
        since: &[Listed],
        except: Option<i64>,
    ) -> Result<bool, TickError> {
        if !kept(Rule::R22) {
            return Ok(true);
        }
        let learned = self.store.learned(&term.identity).await?;
        let Some(known) = self.store.newest_of_kind(&term.identity, except).await? else { return Ok(learned.is_empty()) };
        let Some(listed) = self.store.listed_attempt(known.attempt, &self.po_prefix).await? else { return Ok(false) };
        if !self.read_detail_of(&listed).await? {
            return Ok(false);
        }
        let Some(listed) = self.store.listed_attempt(known.attempt, &self.po_prefix).await? else { return Ok(false) };
        if !evidence::is_paid(listed.status.as_deref())
            && since.iter().any(|o| evidence::shows_another(o, &term.identity, &learned))
        {
            return Ok(false);
        }
        let lessons = learned.with(&lessons(&known.identity, &listed, &known.po_number));
        if lessons.iter().all(|(field, echo)| learned.of(*field).is_none_or(|before| before == *echo)) {
            return Ok(true);
        }
        tracing::warn!(
            order = listed.key,
            ?lessons,
            "the portal shows our orders otherwise than it did; what it shows is no evidence any more"
        );
        self.store.learn(self.clock.now(), &known.identity, &listed.key, &lessons).await?;
        Ok(false)
    }

    /// R19 c: whether the order that this subscription had before still shows its product, customer and serial number, where those come back: what other customers' orders show
    /// says nothing of one who has got another id in the portal since, or another device.
    pub(super) async fn is_shown_as_before(&mut self, term: &DueTerm, attempt: &Attempt) -> Result<bool, TickError> {
        let Some(before) = self.store.order_before(term.subscription, attempt.id).await? else { return Ok(true) };
        // As it was known when the absence was judged: what is read now is believed from the next look on.
        let learned = self.store.learned(&term.identity).await?;
        let Some(listed) = self.store.listed_attempt(before, &self.po_prefix).await? else { return Ok(false) };
        if !self.read_detail_of(&listed).await? {
            return Ok(false);
        }
        let Some(listed) = self.store.listed_attempt(before, &self.po_prefix).await? else { return Ok(false) };
        Ok(!evidence::shows_another(&listed, &term.identity, &learned))
    }
}
