-- Details are not final for ever (R18): a portal may still be writing them, and shows an unpaid order otherwise than a paid one.
ALTER TABLE portal_order ADD COLUMN detail_at TEXT CHECK (length(detail_at) = 24);             -- when they were read
ALTER TABLE portal_order ADD COLUMN detail_again_at TEXT CHECK (length(detail_again_at) = 24); -- when to read them again; NULL: they stand

-- Nobody noted when the older ones were read: those of orders that were seen soon after they were made are read once more.
UPDATE portal_order SET detail_again_at = first_seen_at
WHERE detail IS NOT NULL AND attempt_id IS NULL AND (created_at IS NULL OR julianday(first_seen_at) - julianday(created_at) < 2);

-- An order that had no number at first is found again by its id.
CREATE INDEX portal_order_by_portal_id ON portal_order (account_id, portal_id);

-- R19: the newest order of ours that the list does not show any more, and since when.
ALTER TABLE account ADD COLUMN list_lacks TEXT;
ALTER TABLE account ADD COLUMN list_lacks_since TEXT CHECK (length(list_lacks_since) = 24);
