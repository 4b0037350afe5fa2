//! What a start does before the first tick: find out what the last process left behind.
//!
//! Owns recovery: open attempts become unknown (R10), waits of a wrong clock are mended (R13), and the seal is compared (R9). Never orders anything.

use jiff::Timestamp;

use super::engine::{Engine, TickError};
use crate::portal::read_error::ReadError;

impl Engine {
    /// R8: reads the whole order list, and counts what it holds. Nothing is ordered before a person, or the sandbox, binds the account.
    pub async fn read_whole_list(&mut self) -> Result<Result<i64, ReadError>, TickError> {
        let account = self.store.account().await?;
        self.stays = true; // no tick, which could give way
        let read = self.sync(&account, false).await;
        self.stays = false;
        match read? {
            Ok(_) => Ok(Ok(self.store.mirror_count().await?)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// After a crash nobody knows whether an open attempt was sent: each becomes unknown, and is found out.
    pub async fn recover(&mut self) -> Result<(), TickError> {
        let now = self.clock.now();
        self.aside = self.store.terms_set_aside().await?.into_iter().collect();
        self.mend_waits(now).await?;
        for renewal in self.store.open_becomes_unknown(now).await? {
            tracing::warn!(
                renewal,
                "the daemon stopped while this order was on its way; whether the portal has it is being found out"
            );
        }
        self.check_seal(now).await?;
        self.doubted = self.store.account().await?.doubted.map(|(since, _)| since);
        Ok(())
    }

    /// R9. From the first start on there is a seal, so that a crash before the first order leaves no doubt behind.
    async fn check_seal(&mut self, now: Timestamp) -> Result<(), TickError> {
        let Some(seal) = &self.seal else { return Ok(()) };
        match seal.disagreement(&mut self.store).await? {
            None => seal.renew(&mut self.store).await?,
            Some(why) => {
                tracing::error!("nothing is ordered: {why}; see `renewd accept --help`");
                self.store.doubt(now, &why).await?;
            }
        }
        Ok(())
    }

    /// After a failure that passes: the next tick gets a connection that knows of no failed transaction.
    pub async fn mend(&mut self) {
        if let Err(error) = self.store.reconnect().await {
            tracing::debug!("the database does not open anew yet: {error}");
        }
    }
}
