//! Doing what people ask of a running daemon.
//!
//! Owns when: before anything that is due, and while the list is read; and what is asked of the portal first. What may be done, and when, is `commands.rs`.

use jiff::{SignedDuration, Timestamp};

use super::commands::{Asked, Desk, Refused};
use super::engine::{Engine, TickError};
use crate::renewal::evidence;
use crate::renewal::state::{Reason, TermState};
use crate::store::commands::{Answered, Waiting};

/// The command line waits for 90 seconds. Whoever was killed meanwhile has not seen what became of it, and may have said the contrary since.
const NOBODY_WAITS: SignedDuration = SignedDuration::from_mins(2);
impl Engine {
    /// Does what people have asked since the last look, each in its own commit, and answers.
    pub(super) async fn take_commands(&mut self) -> Result<(), TickError> {
        let now = self.clock.now();
        for waiting in self.store.waiting_commands().await? {
            let asked = serde_json::from_str::<Asked>(&waiting.request);
            if let Ok(asked) = &asked
                && waiting.waited(now)? <= NOBODY_WAITS
            {
                self.stays = true;
                let looked = self.look_first(now, asked).await;
                self.stays = false;
                looked?;
            }
            self.do_command(now, &waiting, asked).await?;
        }
        Ok(())
    }

    /// The same for those that ask nothing of the portal, while it is being read. Returns whether there were any.
    pub(super) async fn take_commands_beside_the_portal(&mut self) -> Result<bool, TickError> {
        let (now, mut done) = (self.clock.now(), false);
        for waiting in self.store.waiting_commands().await? {
            let asked = serde_json::from_str::<Asked>(&waiting.request);
            if let Ok(asked) = &asked
                && self.is_weighed_against_the_portal(asked).await?
            {
                continue;
            }
            self.do_command(now, &waiting, asked).await?;
            done = true;
        }
        Ok(done)
    }

    async fn is_weighed_against_the_portal(&mut self, asked: &Asked) -> Result<bool, TickError> {
        Ok(match asked {
            Asked::ResolveOrdered { .. } | Asked::ResolveNotOrdered { .. } | Asked::ResolveVoid { .. } | Asked::Rebase { .. } => {
                true
            }
            Asked::Skip { term, .. } => {
                let term = self.store.term(*term).await?;
                term.and_then(|term| term.attempt).is_some_and(|attempt| attempt.placed)
            }
            _ => false,
        })
    }

    async fn do_command(
        &mut self,
        now: Timestamp,
        waiting: &Waiting,
        asked: Result<Asked, serde_json::Error>,
    ) -> Result<(), TickError> {
        if waiting.waited(now)? > NOBODY_WAITS && !self.keeps_portal {
            let answer = format!("asked at {}, and nobody waits for it any more: nothing was done, ask again", waiting.asked_at);
            return Ok(self.store.answer(now, waiting.id, &Answered { ok: false, answer }).await?);
        }
        let config = std::sync::Arc::clone(&self.config);
        let mut desk = Desk {
            store: &mut self.store,
            config: &config,
            seal: self.seal.as_ref(),
            po_prefix: &self.po_prefix,
            now,
            by: &waiting.asked_by,
        };
        let accepts = matches!(asked, Ok(Asked::AcceptDatabase));
        let done = match asked {
            Ok(asked) => desk.apply(asked).await,
            Err(error) => Err(Refused::No(format!("the command is not understood: {error}"))),
        };
        let answer = match done {
            Ok(answer) => Answered { ok: true, answer },
            Err(refused) => Answered { ok: false, answer: refused.to_string() },
        };
        tracing::info!(by = waiting.asked_by, ok = answer.ok, "{}", answer.answer);
        self.store.answer(now, waiting.id, &answer).await?;
        if accepts && answer.ok {
            // What stands beside an order of ours that was just taken over was no news when it was listed.
            let theirs = self.store.foreign_rows().await?;
            self.notice_orders(now, &[], &theirs).await?;
        }
        super::roster::take_again(&mut self.store, now).await?;
        self.adopt_file_in_force().await
    }

    /// What a person says of an order is weighed against the portal as it is now, and not as it was when a term last needed it. A portal
    /// that cannot be read stops no command: whatever is decided, nothing is ordered before it was.
    async fn look_first(&mut self, now: Timestamp, asked: &Asked) -> Result<(), TickError> {
        match asked {
            Asked::ResolveOrdered { order, .. } => {
                if self.reach_portal(now, false).await?.is_ok()
                    && let Some(listed) = self.store.listed_order(order, &self.po_prefix).await?
                    && listed.attempt.is_none()
                {
                    self.read_detail_of(&listed).await?;
                }
            }
            Asked::ResolveNotOrdered { term } => {
                self.store.ask_portal_anew(now).await?; // whoever asks does not wait for the next probe
                if let Ok(synced) = self.reach_portal(now, false).await? {
                    let term = self.store.term(*term).await?.filter(|term| term.state == TermState::Unknown);
                    self.resolve(&synced, term.into_iter().collect()).await?;
                }
            }
            Asked::ResolveVoid { term } if self.is_pending_long(*term).await? => {
                if let Ok(synced) = self.reach_portal(now, false).await? {
                    let term = self.store.term(*term).await?;
                    self.follow(&synced, term.into_iter().collect()).await?;
                }
            }
            Asked::ResolveVoid { term } | Asked::Skip { term, .. } => {
                let attempt = self.store.term(*term).await?.and_then(|term| term.attempt).filter(|attempt| attempt.placed);
                if let Some(attempt) = attempt
                    && let Some(mut listed) = self.store.listed_attempt(attempt.id, &self.po_prefix).await?
                {
                    self.read_status(&mut listed).await?;
                    // A row that says otherwise may be an old one, further back than the list is read.
                    let by_row = self.store.row_status(listed.mark).await?;
                    if evidence::is_dead(listed.status.as_deref()) && !evidence::is_dead(by_row.as_deref()) {
                        drop(self.reach_portal(now, true).await?);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn is_pending_long(&mut self, term: i64) -> Result<bool, TickError> {
        Ok(self.store.term(term).await?.is_some_and(|term| term.reason == Some(Reason::PendingLong)))
    }

    /// A command can have put another file in force.
    async fn adopt_file_in_force(&mut self) -> Result<(), TickError> {
        let Some(kept) = self.store.file_in_force().await? else { return Ok(()) };
        match crate::config::parse(&kept.path, &kept.text) {
            Ok(config) => self.adopt(config),
            Err(error) => tracing::error!("the file in force does not read any more:\n{}", error.render(false)),
        }
        Ok(())
    }
}
