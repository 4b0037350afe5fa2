-- R11: when an order that was dead was seen to live again. It may have renewed what ours renewed since, however long before ours it was made.
ALTER TABLE portal_order ADD COLUMN revived_at TEXT CHECK (length(revived_at) = 24);
