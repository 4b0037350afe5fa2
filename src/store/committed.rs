//! The proof that an order's intent is on the disk (R10).

use bytes::Bytes;

/// One order whose intent has been committed. Only `store/` can make one, sending consumes it, and it cannot be copied:
/// to send without committing first, or to send twice, does not compile.
#[derive(Debug)]
pub struct Committed {
    attempt: i64,
    body: Bytes,
}

impl Committed {
    pub(super) fn new(attempt: i64, body: Bytes) -> Self {
        Self { attempt, body }
    }

    /// For the tests of `portal/`, which have no database.
    #[cfg(test)]
    pub(crate) fn in_test(body: &'static [u8]) -> Self {
        Self::new(0, Bytes::from_static(body))
    }

    /// The attempt's row.
    pub fn attempt(&self) -> i64 {
        self.attempt
    }

    /// Gives up the proof for the exact bytes that were committed.
    pub fn into_body(self) -> Bytes {
        self.body
    }
}
