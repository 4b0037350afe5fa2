-- What an older renewd held for the orders of others is looked at too (R11): it waited for a person only.
UPDATE term SET act_at = since
WHERE state = 'held' AND reason = 'foreign_order' AND act_at IS NULL
  AND (SELECT active FROM subscription s WHERE s.id = term.subscription_id) = 1;
