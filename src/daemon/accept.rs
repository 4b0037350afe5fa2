//! `accept`: a person takes what waits for them to look at, a file (R6, R7) or a database that its seal contradicts (R9).
//!
//! Owns when that is possible, and taking over the orders that a restored database has forgotten. Never orders.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::commands::{Desk, Done, Refused};
use super::roster::{self, File, Taken};
use crate::config::model::Config;
use crate::renewal::evidence;
use crate::renewal::state::TermState;
use crate::store::StoreError;
use crate::store::commands::Adoption;
use crate::store::moves::Move;
use crate::store::outbox::Message;
use crate::store::terms::DueTerm;

/// What a person has to see before a database that is older than it was, and not after: what is due goes in the same moment.
pub(crate) const SAY_AGAIN: &str = "what people said since a backup was made (skip, hold, pause, rebase, resolve) stands in no older database: look at `renewd plan`, and say it again before you accept";

impl Desk<'_> {
    /// R6, R7: the file that waited is taken with everything in it, if it is still the one that was shown.
    pub(super) async fn accept_file(&mut self, hash: &str) -> Done {
        let waiting = self.store.file_waiting().await?.filter(|file| file.hash == hash);
        let Some(file) = waiting else { return Err(Refused::No("another file waits by now, or none; look again".to_owned())) };
        let config = crate::config::parse(&file.path, &file.text).map_err(|found| Refused::No(found.render(false)))?;
        let taken =
            roster::take(self.store, File { path: &file.path, text: &file.text, config: &config }, self.now, true).await?;
        match taken {
            Taken::InForce { changes, refused } if refused.is_empty() => {
                Ok(format!("{} is in force; {changes} changes", file.path))
            }
            Taken::InForce { changes, refused } => {
                Ok(format!("{} is in force; {changes} changes; not taken: {}", file.path, refused.join("; ")))
            }
            Taken::Waiting { why } => Err(Refused::No(why)),
        }
    }

    /// R9: after one settle, with the whole list read since, a person's word ends the doubt. What this installation ordered and the
    /// database had forgotten is taken over.
    pub(super) async fn accept_database(&mut self) -> Done {
        let account = self.store.account().await?;
        let Some((since, _)) = account.doubted else { return Err(Refused::No("there is nothing to accept".to_owned())) };
        let earliest = super::engine::after(since, doubt_settle(self.config));
        if account.synced_at.is_none_or(|at| at < earliest) {
            return Err(Refused::No(format!(
                "not yet: an order that this database does not know may show up in the portal until {earliest:.0}, and the whole list has to be read after that (by the daemon, or `renewd run --once`)"
            )));
        }
        self.refuse_while_list_lacks_ours("orders that this database does not know").await?;
        let unread = self.store.unread_details(super::doubt::far_back(since), self.now).await?;
        if unread > 0 {
            return Err(Refused::No(format!(
                "not yet: the details of {unread} orders of the portal are not read; one of them may be ours (the daemon reads them, or `renewd run --once`)"
            )));
        }
        let taken = self.take_over().await?;
        self.store.settle_doubt(self.now, self.by).await?;
        if let Some(seal) = self.seal {
            seal.renew(self.store).await?;
        }
        Ok(format!(
            "accepted; {taken}. What people said since the backup (skip, hold, pause, rebase) is forgotten: look at `renewd plan`"
        ))
    }

    async fn take_over(&mut self) -> Done {
        let mut forgotten = self.store.forgotten_orders(self.po_prefix).await?;
        // A dead one is taken over as well, where no living one is: only a person frees a term from it (R23).
        forgotten.sort_by_key(|order| evidence::is_dead(order.status.as_deref()));
        if forgotten.is_empty() {
            return Ok("the portal holds no order of ours that the database does not know".to_owned());
        }
        let (mut adopted, mut left) = (Vec::new(), Vec::new());
        for order in forgotten {
            if let Some(term) = self.owner_of(&order).await? {
                self.adopt(&term, &order).await?;
                adopted.push(format!("{} (order {})", term.name, order.key));
            } else {
                self.tell_of_left(&order).await?;
                left.push(order.key);
            }
        }
        let left = if left.is_empty() {
            String::new()
        } else {
            format!("; not taken over, and holding what they look like: {}", left.join(", "))
        };
        Ok(format!("taken over: {}{left}", if adopted.is_empty() { "none".to_owned() } else { adopted.join(", ") }))
    }

    async fn adopt(&mut self, term: &DueTerm, order: &evidence::Listed) -> Result<(), StoreError> {
        let step = Move {
            act_at: Some(self.now),
            warn_at: super::warning::warning(term, self.now),
            ..Move::of(term, TermState::Placed)
        };
        let detail = json!({"order": order.key, "why": "ordered before the database was restored"});
        let write = self.by_hand("term.resolved", term, &detail, step);
        let adoption = Adoption { how: "po_number", instead_of: None, others_since: None };
        self.store.adopt(self.now, term, order, adoption, write).await
    }

    /// An order of ours that no term waits for: the term that it was for has another one by now, or cannot be told from others.
    async fn tell_of_left(&mut self, order: &evidence::Listed) -> Result<(), StoreError> {
        if evidence::is_dead(order.status.as_deref()) {
            return Ok(());
        }
        let message = Message {
            cause: format!("left:{}", order.key),
            renewal: None,
            what: format!(
                "order {} is ours ({}) and the database does not say for which renewal; one may be paid twice",
                order.key,
                order.mentions_ours.join(", ")
            ),
            by: None,
            command: Some(
                "look in the portal for whom it is, and cancel it if that is renewed already; see: renewd audit verify"
                    .to_owned(),
            ),
        };
        self.store.tell(self.now, &[message]).await
    }

    /// The one term that an order of ours can only be for: it shows the product, the customer and the item of exactly one
    /// subscription whose term waits, and was made when that term was due. An older one paid an earlier term, a newer one a later.
    async fn owner_of(&mut self, order: &evidence::Listed) -> Result<Option<DueTerm>, StoreError> {
        let mut owner = None;
        for term in self.store.standing_terms().await? {
            let identity = &term.identity;
            let waits =
                matches!(term.state, TermState::Scheduled | TermState::AwaitingApproval | TermState::Held | TermState::Missed);
            let same = order.facts.product == Some(identity.product_id.to_string())
                && order.facts.partner == identity.party.text()
                && (order.facts.partner.is_some() || self.store.shows_customers(&identity.product_id.to_string()).await?)
                && (identity.serial.is_none() || order.facts.serial == identity.serial)
                && order.facts.items.contains(&identity.item_id.to_string());
            if same
                && waits
                && order.created_at.is_some_and(|at| was_due(&term, at))
                && term.attempt.is_none()
                && owner.replace(term).is_some()
            {
                return Ok(None);
            }
        }
        Ok(owner)
    }
}

/// Whether `at` lies between the time at which `term` was due and that at which the next one is: an order of then paid this one.
fn was_due(term: &DueTerm, at: Timestamp) -> bool {
    let day = SignedDuration::from_hours(24);
    let length = term.span.starts_on.until(term.span.ends_on).map_or(0, |span| span.get_days());
    let from = super::engine::after(term.moments.due_at, -day);
    (from..super::engine::after(from, day * length)).contains(&at)
}

/// How long a doubted database waits (R9): two of the longest settles, or two of the one that the file sets. An order that was on its way
/// when the database was doubted is carried out within one (A2) and listed within another (A1).
pub(super) fn doubt_settle(config: &Config) -> SignedDuration {
    let set = config.portal.settle.and_then(|span| SignedDuration::try_from(span).ok());
    evidence::settle(set, SignedDuration::MAX).saturating_mul(2)
}
