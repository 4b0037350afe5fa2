-- R20: how long an order of this attempt may take to be carried out, and then to be listed, as it was when it was sent. A file that says less
-- later does not make an order appear sooner.
ALTER TABLE attempt ADD COLUMN settle_s INTEGER;

-- R4: the next term exists only when the one before it is settled. An older one can be open again (its order was refunded, and a person has
-- freed it) after the chain has gone on; it does not stop the chain.
DROP TRIGGER term_begins_when_the_last_is_settled;

CREATE TRIGGER term_begins_when_the_last_is_settled BEFORE INSERT ON term
WHEN EXISTS (SELECT 1 FROM term t WHERE t.subscription_id = NEW.subscription_id AND t.state NOT IN ('renewed', 'skipped', 'missed')
             AND NOT (t.state = 'held' AND t.reason IS 'refunded_later')
             AND NOT EXISTS (SELECT 1 FROM term n WHERE n.subscription_id = t.subscription_id AND n.starts_on > t.starts_on))
BEGIN SELECT RAISE(ABORT, 'the next term exists only when the previous one is settled (R4)'); END;
