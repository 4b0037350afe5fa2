//! One bad row must not stop the others.
//!
//! Owns the terms that the database cannot give or keep: each is set aside for a while and told, and the rest goes on. A failure of
//! the whole database is none of its business: it ends the tick.

use jiff::{SignedDuration, Timestamp};

use super::engine::{Engine, TickError, Ticked, after};
use crate::store::nature::Nature;
use crate::store::notices::Notice;
use crate::store::outbox::Message;
use crate::store::terms::{DueTerm, Unreadable};

/// How long such a term is left alone: a restored backup or a newer program needs a person anyway.
const LEFT_ALONE: SignedDuration = SignedDuration::from_hours(6);

impl Engine {
    /// Works on all that is due. If one of them spoils it, each is taken alone, so that it is known which.
    pub(super) async fn work(&mut self, now: Timestamp, due: Vec<DueTerm>, ticked: &mut Ticked) -> Result<(), TickError> {
        let names: Vec<(i64, String)> = due.iter().map(|term| (term.id, term.name.clone())).collect();
        match self.warn_and_act(now, due, ticked).await {
            Err(TickError::Store(error)) if error.nature() == Nature::OneRow => {
                tracing::error!("{error}; what is due is taken one by one");
                self.one_by_one(names, ticked).await
            }
            Err(error) => Err(error),
            Ok(()) => self.back_among_the_others(names.into_iter().map(|(term, _)| term)).await,
        }
    }

    /// They could be worked on: what was said of them is no longer so.
    async fn back_among_the_others(&mut self, worked_on: impl Iterator<Item = i64>) -> Result<(), TickError> {
        let back: Vec<i64> = worked_on.filter(|term| self.aside.contains(term)).collect();
        for term in back {
            self.store.withdraw(&key(term), &[]).await?;
            self.aside.remove(&term);
        }
        Ok(())
    }

    /// Each is read anew: what was committed before the failure stays.
    async fn one_by_one(&mut self, names: Vec<(i64, String)>, ticked: &mut Ticked) -> Result<(), TickError> {
        for (term, name) in names {
            match self.alone(term, ticked).await {
                Ok(()) => self.back_among_the_others(std::iter::once(term)).await?,
                Err(TickError::Store(error)) if error.nature() == Nature::OneRow => {
                    self.set_aside(Unreadable { term, name, why: error.to_string() }).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn alone(&mut self, term: i64, ticked: &mut Ticked) -> Result<(), TickError> {
        self.record_what_is_left(ticked).await?;
        let now = self.clock.now();
        let due = |term: &DueTerm| [term.act_at, term.warn_at].into_iter().flatten().any(|at| at <= now);
        match self.store.term(term).await?.filter(due) {
            Some(term) => self.warn_and_act(now, vec![term], ticked).await,
            None => Ok(()),
        }
    }

    /// Left alone for a while, and told each time.
    pub(super) async fn set_aside(&mut self, bad: Unreadable) -> Result<(), TickError> {
        let now = self.clock.now();
        tracing::error!(renewal = bad.name, "{}; it is left alone until {}", bad.why, after(now, LEFT_ALONE));
        self.store.put_off(bad.term, after(now, LEFT_ALONE)).await?;
        self.aside.insert(bad.term);
        let key = key(bad.term);
        let what = format!("it cannot be renewed by itself, because a row of it is bad: {}", bad.why);
        let what_to_do = "renew it in the portal if its deadline is near; stop renewd and restore a backup (renewd restore FILE)";
        let notice =
            Notice { key: key.clone(), renewal: Some(bad.name.clone()), reason: what.clone(), what_to_do: what_to_do.to_owned() };
        self.store.raise(now, &notice).await?;
        let message = Message { cause: key, renewal: Some(bad.name), what, by: None, command: Some(what_to_do.to_owned()) };
        Ok(self.store.tell(now, &[message]).await?)
    }
}

/// What its notice is known by. It ends in a dot, for notices are withdrawn by how their key begins.
fn key(term: i64) -> String {
    format!("row:{term}.")
}
