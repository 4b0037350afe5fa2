-- What an older renewd held for the orders of others is looked at too (R11): it waited for a person only.
UPDATE term SET act_at = since
WHERE state = 'held' AND reason = 'foreign_order' AND act_at IS NULL
  AND (SELECT active FROM subscription s WHERE s.id = term.subscription_id) = 1;

-- One that was paid before comes to life also if a person has decided something for the same customer while it was not: he took it for dead.
CREATE INDEX audit_by_time ON audit_log (at);
DROP TRIGGER order_comes_to_life;
CREATE TRIGGER order_comes_to_life AFTER UPDATE OF status ON portal_order
WHEN (lower(coalesce(NEW.status, '')) = 'succeed' AND lower(coalesce(OLD.status, '')) <> 'succeed'
      OR lower(coalesce(OLD.status, '')) IN ('cancelled', 'failed', 'refunded', 'invalid')
         AND lower(coalesce(NEW.status, '')) NOT IN ('cancelled', 'failed', 'refunded', 'invalid'))
     AND NOT (coalesce(OLD.detail, 'null') = 'null' AND coalesce(NEW.detail, 'null') <> 'null')
BEGIN
    UPDATE portal_order SET revived_at = NEW.status_at
    WHERE id = NEW.id AND (OLD.unpaid_at IS NULL OR EXISTS (
        SELECT 1 FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
        WHERE a.created_at >= OLD.unpaid_at AND coalesce(NEW.partner, s.partner_id) = s.partner_id)
        OR EXISTS (
        SELECT 1 FROM audit_log l CROSS JOIN subscription s ON s.id = l.subscription_id
        WHERE l.at >= OLD.unpaid_at AND coalesce(NEW.partner, s.partner_id) = s.partner_id
          AND l.kind IN ('chain.rebased', 'term.released', 'term.resolved', 'term.skipped', 'attempt.voided', 'attempt.not_placed')));
END;

-- So he has not seen it paid whom it was dismissed by; ours that were set aside included.
DROP TRIGGER order_is_paid_after_all;
CREATE TRIGGER order_is_paid_after_all AFTER UPDATE OF status ON portal_order
WHEN lower(coalesce(NEW.status, '')) = 'succeed' AND lower(coalesce(OLD.status, '')) <> 'succeed'
     AND (OLD.unpaid_at IS NULL OR EXISTS (
        SELECT 1 FROM audit_log l CROSS JOIN subscription s ON s.id = l.subscription_id
        WHERE l.at >= OLD.unpaid_at AND coalesce(NEW.partner, s.partner_id) = s.partner_id
          AND l.kind IN ('chain.rebased', 'term.released', 'term.resolved', 'term.skipped', 'attempt.voided', 'attempt.not_placed')))
BEGIN
    UPDATE term SET dismissed = (SELECT json_group_array(value) FROM json_each(dismissed) WHERE value <> NEW.key) WHERE instr(dismissed, NEW.key);
    UPDATE term SET act_at = coalesce(NEW.status_at, NEW.first_seen_at)
    WHERE state = 'held' AND reason = 'foreign_order' AND instr(candidates, NEW.key);
END;
