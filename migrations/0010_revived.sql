-- R11: when an order that was dead was seen to live again, or one that was not paid to be paid. It may have renewed what ours renewed since, however
-- long before ours it was made.
ALTER TABLE portal_order ADD COLUMN revived_at TEXT CHECK (length(revived_at) = 24);
-- When its status was last written; and when it ceased to be paid, if it was.
ALTER TABLE portal_order ADD COLUMN status_at TEXT CHECK (length(status_at) = 24);
ALTER TABLE portal_order ADD COLUMN unpaid_at TEXT CHECK (length(unpaid_at) = 24);

CREATE TRIGGER order_ceases_to_be_paid AFTER UPDATE OF status ON portal_order
WHEN lower(coalesce(OLD.status, '')) = 'succeed' AND lower(coalesce(NEW.status, '')) <> 'succeed'
BEGIN
    UPDATE portal_order SET unpaid_at = NEW.status_at WHERE id = NEW.id;
END;

-- One that was paid before has come to life only if ours for the same customer went while it was not: else every order would, after a day on which the
-- portal showed other words. Details that are read for the first time tell how it stood all the time.
CREATE TRIGGER order_comes_to_life AFTER UPDATE OF status ON portal_order
WHEN (lower(coalesce(NEW.status, '')) = 'succeed' AND lower(coalesce(OLD.status, '')) <> 'succeed'
      OR lower(coalesce(OLD.status, '')) IN ('cancelled', 'failed', 'refunded', 'invalid')
         AND lower(coalesce(NEW.status, '')) NOT IN ('cancelled', 'failed', 'refunded', 'invalid'))
     AND NOT (coalesce(OLD.detail, 'null') = 'null' AND coalesce(NEW.detail, 'null') <> 'null')
BEGIN
    UPDATE portal_order SET revived_at = NEW.status_at
    WHERE id = NEW.id AND (OLD.unpaid_at IS NULL OR EXISTS (
        SELECT 1 FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
        WHERE a.created_at >= OLD.unpaid_at AND coalesce(NEW.partner, s.partner_id) = s.partner_id));
END;

-- A person who let ours go beside an order that was not paid has not seen it paid.
CREATE TRIGGER order_is_paid_after_all AFTER UPDATE OF status ON portal_order
WHEN NEW.attempt_id IS NULL AND OLD.unpaid_at IS NULL AND lower(coalesce(NEW.status, '')) = 'succeed' AND lower(coalesce(OLD.status, '')) <> 'succeed'
BEGIN
    UPDATE term SET dismissed = (SELECT json_group_array(value) FROM json_each(dismissed) WHERE value <> NEW.key) WHERE instr(dismissed, NEW.key);
    -- Nor has one who was told of it: what he reads is written anew, at once.
    UPDATE term SET act_at = coalesce(NEW.status_at, NEW.first_seen_at)
    WHERE state = 'held' AND reason = 'foreign_order' AND instr(candidates, NEW.key);
END;
