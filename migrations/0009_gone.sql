-- R6: an entry that was taken out needs nobody any more, unless its order may still exist. What held it stands for when it comes back.
DROP VIEW attention;
CREATE VIEW attention AS
SELECT s.name AS renewal, t.since, t.detail AS reason, t.remedy AS what_to_do, t.deadline_at AS deadline
FROM term t JOIN subscription s ON s.id = t.subscription_id
WHERE t.remedy IS NOT NULL AND (s.active = 1 OR t.state IN ('ordering', 'unknown', 'placed'))
UNION ALL
SELECT n.renewal, n.since, n.reason, n.what_to_do, NULL FROM notice n
UNION ALL
SELECT NULL, a.paused_at, 'ordering is paused: ' || a.paused_why, 'renewd resume', NULL FROM account a WHERE a.paused_at IS NOT NULL
UNION ALL
SELECT NULL, a.doubted_at, 'nothing is ordered: ' || a.doubt, 'renewd accept', NULL FROM account a WHERE a.doubted_at IS NOT NULL
ORDER BY since;

UPDATE term SET warn_at = NULL
WHERE state = 'held' AND subscription_id IN (SELECT id FROM subscription WHERE active = 0);
