-- The views people query (DESIGN.md section 4). Their names and columns are stable from version to version; columns may be added.

CREATE VIEW orders AS
SELECT s.name AS renewal, s.partner_id, s.product_id, s.item_id AS service_id, a.quantity, t.starts_on, t.ends_on,
       a.po_number, a.order_no, a.transaction_no, a.order_id, a.instance_id, a.order_status,
       a.created_at AS ordered_at, a.settled_at, a.request_id,
       a.state AS attempt_state, t.late, a.matched_by, s.serial, s.batch
FROM attempt a JOIN term t ON t.id = a.term_id JOIN subscription s ON s.id = t.subscription_id
WHERE a.state IN ('open', 'placed', 'unknown', 'void')
ORDER BY a.id;

CREATE VIEW upcoming AS
SELECT s.name AS renewal, s.partner_id, CAST(json_extract(s.entry, '$.quantity') AS INTEGER) AS quantity,
       t.starts_on AS expires_on, t.due_at, t.deadline_at AS deadline, t.state,
       t.reason, t.act_at AS next_look_at
FROM term t JOIN subscription s ON s.id = t.subscription_id
WHERE s.active = 1 AND t.state IN ('scheduled', 'awaiting_approval', 'ordering', 'unknown', 'placed', 'held')
ORDER BY t.due_at, s.name;

CREATE VIEW attention AS
SELECT s.name AS renewal, t.since, t.detail AS reason, t.remedy AS what_to_do, t.deadline_at AS deadline
FROM term t JOIN subscription s ON s.id = t.subscription_id
WHERE t.remedy IS NOT NULL AND (s.active = 1 OR t.state IN ('ordering', 'unknown', 'placed', 'held'))
UNION ALL
SELECT n.renewal, n.since, n.reason, n.what_to_do, NULL FROM notice n
UNION ALL
SELECT NULL, a.paused_at, 'ordering is paused: ' || a.paused_why, 'renewd resume', NULL FROM account a WHERE a.paused_at IS NOT NULL
UNION ALL
SELECT NULL, a.doubted_at, 'nothing is ordered: ' || a.doubt, 'renewd accept', NULL FROM account a WHERE a.doubted_at IS NOT NULL
ORDER BY since;

CREATE VIEW audit AS
SELECT seq, at, kind, renewal, po_number, order_no, transaction_no, detail, hash FROM audit_log ORDER BY seq;
