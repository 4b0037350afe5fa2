-- What a person counted by `rebase` as what pays until another chain begins was dismissed for that; dead, it pays nothing, and what begins then waits (R4).
CREATE TRIGGER counted_order_dies AFTER UPDATE OF status ON portal_order
WHEN NEW.attempt_id IS NULL AND lower(coalesce(OLD.status, '')) = 'succeed'
     AND lower(coalesce(NEW.status, '')) IN ('cancelled', 'failed', 'refunded', 'invalid')
BEGIN
    UPDATE term SET dismissed = (SELECT json_group_array(value) FROM json_each(dismissed) WHERE value <> NEW.key)
    WHERE state = 'scheduled' AND instr(dismissed, NEW.key);
END;

-- Orders of ours of which an older renewd told that they live again, and did not note when.
UPDATE portal_order SET revived_at = (SELECT max(l.at) FROM audit_log l WHERE l.kind = 'order.lives_again' AND l.order_no = portal_order.key)
WHERE revived_at IS NULL AND attempt_id IS NOT NULL AND key IN (SELECT order_no FROM audit_log WHERE kind = 'order.lives_again');
