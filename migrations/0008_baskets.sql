-- R19: when the row of an order last changed. An older order of the same customer that was unpaid, or has changed since, may have taken in a request
-- whose answer was lost.
ALTER TABLE portal_order ADD COLUMN changed_at TEXT CHECK (length(changed_at) = 24);
