//! Whether the portal can be used now.
//!
//! Owns asking it once for all that is due, and when it is asked again if it is not well. What its list proves is `sync.rs`; never sends an order.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError};
use super::sync::Synced;
use super::words;
use crate::portal::read_error::ReadError;
use crate::renewal::retry;
use crate::renewal::state::Reason;
use crate::store::terms::DueTerm;
use crate::store::waits::Postponement;

/// What keeps the portal from being used, and until when.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) until: Timestamp,
    pub(super) what: String,
}

impl Engine {
    /// Reads the order list although nothing is due, so that what others did is known. What kept it from being read, if anything did.
    pub async fn look_at_portal(&mut self) -> Result<Option<String>, TickError> {
        let now = self.clock.now();
        let fresh = |at: Timestamp| now.duration_since(at).abs() < SignedDuration::from_mins(1);
        if self.store.account().await?.synced_at.is_some_and(fresh) {
            return Ok(None);
        }
        self.stays = true; // no tick, which could give way
        let reached = self.reach_portal(now, false).await;
        self.stays = false;
        Ok(reached?.err().map(|trouble| trouble.what))
    }

    /// Asks the portal for its order list, unless it was found wanting a moment ago: it is probed once, not once per term.
    pub(super) async fn reach_portal(
        &mut self,
        now: Timestamp,
        for_evidence: bool,
    ) -> Result<Result<Synced, Trouble>, TickError> {
        let account = self.store.account().await?;
        if let Some(next) = account.portal_next_at.filter(|next| *next > now) {
            let what = account.portal_trouble.unwrap_or_else(|| "the portal was not well".to_owned());
            return Ok(Err(Trouble { until: next, what }));
        }
        if let Some(list) = self.list_of_before(for_evidence) {
            self.list_is_read(&list);
            return Ok(Ok(list));
        }
        match self.sync(&account, for_evidence).await? {
            Ok(synced) => {
                self.list_is_read(&synced);
                self.look_anew_if_commanded()?;
                if account.portal_trouble.is_some() {
                    tracing::info!("the portal answers again");
                }
                if std::mem::take(&mut self.noticed) {
                    self.store.withdraw("portal", &[]).await?;
                }
                Ok(Ok(synced))
            }
            Err(error) => Ok(Err(self.portal_failed(now, account.portal_tries.saturating_add(1), &error).await?)),
        }
    }

    async fn portal_failed(&mut self, now: Timestamp, tries: u32, error: &ReadError) -> Result<Trouble, TickError> {
        let deadline = self.store.next_deadline(now).await?;
        let until = retry::probe_again(now, tries, error.retry_after(), deadline);
        let what = error.to_string();
        tracing::warn!(tries, next = %until, "{what}");
        self.store.portal_unwell(tries, until, &what).await?;
        if tries >= 3 || words::is_refusal(error) {
            self.noticed = true;
            self.raise_trouble(now, &what, tries, words::is_refusal(error)).await?;
        }
        Ok(Trouble { until, what })
    }

    pub(super) async fn wait_for_portal<'a>(
        &mut self,
        terms: impl Iterator<Item = &'a DueTerm>,
        trouble: &Trouble,
    ) -> Result<(), TickError> {
        let now = self.clock.now();
        let terms: Vec<&DueTerm> = terms.collect();
        let wait = Postponement {
            terms: terms.iter().map(|term| term.id).collect(),
            until: trouble.until,
            reason: Reason::PortalTrouble,
            detail: trouble.what.clone(),
            remedy: None,
        };
        self.store.postpone(now, &wait).await?;
        self.plan_warnings(now, terms.into_iter()).await
    }
}
