-- R18: since when the details of an order cannot be read, and when that was last tried. One order that never reads must not keep every renewal
-- waiting: after a day it is taken for one that explains nothing, and holds what it may be for, by name.
ALTER TABLE portal_order ADD COLUMN detail_failed_at TEXT CHECK (length(detail_failed_at) = 24);
ALTER TABLE portal_order ADD COLUMN detail_tried_at TEXT CHECK (length(detail_tried_at) = 24);

-- An answer and the list may spell one number in different cases.
CREATE INDEX attempt_by_plain_number ON attempt (lower(order_no)) WHERE order_no IS NOT NULL;
