-- R11: when an order that was dead was seen to live again, or one that was not paid to be paid. It may have renewed what ours renewed since, however
-- long before ours it was made.
ALTER TABLE portal_order ADD COLUMN revived_at TEXT CHECK (length(revived_at) = 24);

-- A person who let ours go beside an order that was not paid has not seen it paid.
CREATE TRIGGER order_is_paid_after_all AFTER UPDATE OF status ON portal_order
WHEN NEW.attempt_id IS NULL AND lower(coalesce(NEW.status, '')) = 'succeed' AND lower(coalesce(OLD.status, '')) <> 'succeed'
BEGIN
    UPDATE term SET dismissed = (SELECT json_group_array(value) FROM json_each(dismissed) WHERE value <> NEW.key) WHERE instr(dismissed, NEW.key);
    -- Nor has one who was told of it: what he reads is written anew, at once.
    UPDATE term SET act_at = coalesce(NEW.changed_at, NEW.first_seen_at)
    WHERE state = 'held' AND reason = 'foreign_order' AND instr(candidates, NEW.key);
END;
