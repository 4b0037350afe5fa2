-- The foundation: what is renewed, its terms, the attempts to buy them, the mirror of the portal's order list, and the audit log.
--
-- Times are UTC, ISO-8601, always 24 characters, so that text order is time order. Dates are YYYY-MM-DD. Ids are text, exact.
-- The numbers R1 to R28 are the rules listed in docs/promise.md.

-- Who this database is (R8, R28). One row.
CREATE TABLE installation (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    uid         TEXT NOT NULL,                                        -- stands in every poNumber of ours (R9)
    kind        TEXT NOT NULL CHECK (kind IN ('portal', 'sandbox')),  -- never changes: see the trigger below
    created_at  TEXT NOT NULL CHECK (length(created_at) = 24),
    channels    TEXT,                                                 -- R27: hash of the channels that were tried and worked
    config_path TEXT,                                                 -- R7: the file it belongs to
    sandbox_now TEXT CHECK (length(sandbox_now) = 24)                 -- R28: where the sandbox's clock stood
) STRICT;

CREATE TRIGGER installation_stays_what_it_is BEFORE UPDATE OF id, uid, kind ON installation
WHEN NEW.uid <> OLD.uid OR NEW.kind <> OLD.kind OR NEW.id <> OLD.id
BEGIN SELECT RAISE(ABORT, 'a database never changes between sandbox and portal'); END;

-- R1: a portal account, by an id of our own: neither its label nor its client id is identity.
CREATE TABLE account (
    id              INTEGER PRIMARY KEY,
    uid             TEXT NOT NULL UNIQUE,
    base_url        TEXT NOT NULL,
    bound_at        TEXT CHECK (length(bound_at) = 24),        -- NULL: the order list was never read whole, so nothing is ordered
    high_water      TEXT CHECK (length(high_water) = 24),      -- R13: the newest moment the portal itself confirmed
    paused_at       TEXT CHECK (length(paused_at) = 24),
    paused_why      TEXT,
    doubted_at      TEXT CHECK (length(doubted_at) = 24),      -- R9: this database may be a copy, or older than what was ordered
    doubt           TEXT,
    portal_tries    INTEGER NOT NULL DEFAULT 0,                -- failed probes in a row: a portal that is down is asked once, not once a term
    portal_next_at  TEXT CHECK (length(portal_next_at) = 24),
    portal_trouble  TEXT,
    synced_at       TEXT CHECK (length(synced_at) = 24),
    synced_total    INTEGER
) STRICT;

-- R2: identity is what is bought. The name is a label.
CREATE TABLE subscription (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    product_id TEXT NOT NULL,
    partner_id TEXT NOT NULL DEFAULT '',                       -- '' is one's own subscription
    serial     TEXT NOT NULL DEFAULT '',
    item_id    TEXT NOT NULL,
    batch      TEXT NOT NULL DEFAULT '',
    name       TEXT NOT NULL,
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    seed_on    TEXT NOT NULL CHECK (length(seed_on) = 10),     -- R4: what the file says; only seeds the chain
    anchor_on  TEXT NOT NULL CHECK (length(anchor_on) = 10),   -- boundary 0 of the chain of terms
    entry      TEXT NOT NULL,                                  -- what the next order takes from the file, as JSON
    confirm    TEXT,                                           -- R3: why a person looks first; NULL once one has
    created_at TEXT NOT NULL CHECK (length(created_at) = 24),
    UNIQUE (account_id, product_id, partner_id, serial, item_id, batch)
) STRICT;

CREATE INDEX subscription_by_name ON subscription (name);

CREATE TRIGGER subscription_keeps_its_identity BEFORE UPDATE OF account_id, product_id, partner_id, serial, item_id, batch ON subscription
WHEN NEW.account_id <> OLD.account_id OR NEW.product_id <> OLD.product_id OR NEW.partner_id <> OLD.partner_id
  OR NEW.serial <> OLD.serial OR NEW.item_id <> OLD.item_id OR NEW.batch <> OLD.batch
BEGIN SELECT RAISE(ABORT, 'the identity of a subscription never changes (R2)'); END;

-- R4: a chain of half-open terms [starts_on, ends_on).
CREATE TABLE term (
    id              INTEGER PRIMARY KEY,
    subscription_id INTEGER NOT NULL REFERENCES subscription (id),
    offset_months   INTEGER NOT NULL CHECK (offset_months >= 0), -- starts_on, counted from the anchor
    starts_on       TEXT NOT NULL CHECK (length(starts_on) = 10),
    ends_on         TEXT NOT NULL CHECK (length(ends_on) = 10),
    state           TEXT NOT NULL CHECK (state IN
        ('scheduled', 'awaiting_approval', 'ordering', 'unknown', 'placed', 'renewed', 'held', 'skipped', 'missed')),
    since           TEXT NOT NULL CHECK (length(since) = 24),
    reason          TEXT,                                        -- a word of docs/states.md
    detail          TEXT,                                        -- the same in a sentence
    remedy          TEXT,                                        -- the command to run
    due_at          TEXT NOT NULL CHECK (length(due_at) = 24),
    deadline_at     TEXT NOT NULL CHECK (length(deadline_at) = 24),
    act_at          TEXT CHECK (length(act_at) = 24),            -- when the engine looks again; NULL: only a person moves it
    warn_at         TEXT CHECK (length(warn_at) = 24),           -- the next deadline warning
    tries           INTEGER NOT NULL DEFAULT 0,
    late            INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
    approved_hash   TEXT,                                        -- R14: the request that a person approved
    candidates      TEXT NOT NULL DEFAULT '[]',                  -- orders that hold it, as a person is shown them
    dismissed       TEXT NOT NULL DEFAULT '[]',                  -- R11: order ids a person has looked at
    CHECK (starts_on < ends_on)
) STRICT;

-- Cost grows with what is due, not with what exists: waiting is a column, and this is its index.
CREATE INDEX term_by_act ON term (act_at) WHERE act_at IS NOT NULL;
CREATE INDEX term_by_warning ON term (warn_at) WHERE warn_at IS NOT NULL;
CREATE INDEX term_by_subscription ON term (subscription_id, starts_on);
CREATE INDEX term_by_state ON term (state) WHERE state IN ('ordering', 'unknown', 'placed', 'held', 'awaiting_approval', 'missed');

CREATE TRIGGER term_begins_when_the_last_is_settled BEFORE INSERT ON term
WHEN EXISTS (SELECT 1 FROM term t WHERE t.subscription_id = NEW.subscription_id AND t.state NOT IN ('renewed', 'skipped', 'missed')
             AND NOT (t.state = 'held' AND t.reason IS 'refunded_later')) -- it was renewed, and the chain has gone on
BEGIN SELECT RAISE(ABORT, 'the next term exists only when the previous one is settled (R4)'); END;

CREATE TRIGGER term_never_overlaps BEFORE INSERT ON term
WHEN EXISTS (SELECT 1 FROM term t WHERE t.subscription_id = NEW.subscription_id AND t.state NOT IN ('skipped', 'missed')
             AND t.starts_on < NEW.ends_on AND NEW.starts_on < t.ends_on)
BEGIN SELECT RAISE(ABORT, 'terms of one subscription never overlap (R4)'); END;

CREATE TRIGGER term_keeps_its_dates BEFORE UPDATE OF subscription_id, starts_on, ends_on ON term
WHEN NEW.subscription_id <> OLD.subscription_id OR NEW.starts_on <> OLD.starts_on OR NEW.ends_on <> OLD.ends_on
BEGIN SELECT RAISE(ABORT, 'the dates of a term never change (R4)'); END;

-- One request to buy (R10). Its row is on the disk before a byte of it leaves.
CREATE TABLE attempt (
    id             INTEGER PRIMARY KEY,
    term_id        INTEGER NOT NULL REFERENCES term (id),
    po_number      TEXT NOT NULL UNIQUE,
    request        TEXT NOT NULL,                             -- the exact body
    request_hash   TEXT NOT NULL,                             -- what is bought: the body without its poNumber (R14)
    looks_like     TEXT NOT NULL,                             -- product, partner and serial
    quantity       INTEGER NOT NULL,
    civil_day      TEXT NOT NULL CHECK (length(civil_day) = 10), -- R12 counts by it
    fence_mark     INTEGER NOT NULL,                          -- the newest row of the mirror just before
    fence_total    INTEGER,                                   -- `total` of the portal's list just before
    fence_at       TEXT NOT NULL CHECK (length(fence_at) = 24),
    state          TEXT NOT NULL CHECK (state IN ('open', 'placed', 'not_placed', 'unknown', 'cancelled', 'void')),
    alone          INTEGER NOT NULL DEFAULT 0 CHECK (alone IN (0, 1)), -- R21, R22: nothing else was in flight
    created_at     TEXT NOT NULL CHECK (length(created_at) = 24),
    ended_at       TEXT CHECK (length(ended_at) = 24),
    ended_portal   TEXT CHECK (length(ended_portal) = 24),    -- the portal's Date then (R20)
    absent_at      TEXT CHECK (length(absent_at) = 24),       -- first read on which every order since the fence was explained (R19c)
    absent_portal  TEXT CHECK (length(absent_portal) = 24),
    settled_at     TEXT CHECK (length(settled_at) = 24),
    matched_by     TEXT CHECK (matched_by IN ('answer', 'po_number', 'content', 'person')),
    http_status    INTEGER,
    code           TEXT,
    message        TEXT,
    request_id     TEXT,
    order_no       TEXT,
    transaction_no TEXT,
    order_id       TEXT,
    instance_id    TEXT,
    order_status   TEXT,
    product_no     TEXT,
    answer         TEXT                                       -- the whole answer, unknown fields and all
) STRICT;

CREATE UNIQUE INDEX attempt_one_undecided_per_term ON attempt (term_id) WHERE state IN ('open', 'unknown');
CREATE UNIQUE INDEX attempt_one_placed_per_term ON attempt (term_id) WHERE state = 'placed';
CREATE UNIQUE INDEX attempt_look_alikes_never_in_flight_together ON attempt (looks_like) WHERE state IN ('open', 'unknown');
CREATE UNIQUE INDEX attempt_by_order_no ON attempt (order_no) WHERE order_no IS NOT NULL AND state <> 'void';
CREATE INDEX attempt_by_number ON attempt (order_no);
CREATE INDEX attempt_by_term ON attempt (term_id);
CREATE INDEX attempt_by_day ON attempt (civil_day);

CREATE TRIGGER attempt_never_for_a_paid_term BEFORE INSERT ON attempt
WHEN EXISTS (SELECT 1 FROM attempt a WHERE a.term_id = NEW.term_id AND a.state IN ('open', 'unknown', 'placed'))
BEGIN SELECT RAISE(ABORT, 'a term has at most one order that may exist'); END;

CREATE TRIGGER attempt_keeps_what_was_sent BEFORE UPDATE OF term_id, po_number, request, request_hash, looks_like, quantity, civil_day, fence_mark, fence_at ON attempt
BEGIN SELECT RAISE(ABORT, 'what an attempt sent never changes'); END;

CREATE TRIGGER attempt_is_never_replaced BEFORE INSERT ON attempt
WHEN EXISTS (SELECT 1 FROM attempt a WHERE a.id = NEW.id OR a.po_number = NEW.po_number)
BEGIN SELECT RAISE(ABORT, 'attempts are never replaced: this po_number or row exists'); END;

CREATE TRIGGER attempt_is_never_forgotten BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are never deleted'); END;

-- Our copy of the portal's order list (R17). Rows are in the order in which they were first seen.
CREATE TABLE portal_order (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id    INTEGER NOT NULL REFERENCES account (id),
    key           TEXT NOT NULL,                               -- its order number, else its id, else a hash of the raw row
    portal_id     TEXT,
    order_no      TEXT,
    status        TEXT,
    created_at    TEXT CHECK (length(created_at) = 24),
    row           TEXT NOT NULL,                               -- as the list gave it
    detail        TEXT,                                        -- as `get` gave it
    product       TEXT,                                        -- what row and detail show, drawn out for the index below
    partner       TEXT,
    serial        TEXT,
    items         TEXT NOT NULL DEFAULT '[]',
    first_seen_at TEXT NOT NULL CHECK (length(first_seen_at) = 24),
    attempt_id    INTEGER REFERENCES attempt (id),             -- ours
    UNIQUE (account_id, key)
) STRICT;

CREATE INDEX portal_order_by_look ON portal_order (account_id, product, partner);
CREATE INDEX portal_order_by_attempt ON portal_order (attempt_id) WHERE attempt_id IS NOT NULL;

-- R22: what this portal was seen to show, per product and kind of party.
CREATE TABLE learned (
    account_id INTEGER NOT NULL REFERENCES account (id),
    product_id TEXT NOT NULL,
    party      TEXT NOT NULL CHECK (party IN ('own', 'partner')),
    field      TEXT NOT NULL CHECK (field IN ('po_number', 'product', 'partner', 'serial', 'item')),
    verdict    TEXT NOT NULL CHECK (verdict IN ('echoed', 'absent', 'misleading')),
    order_no   TEXT NOT NULL,
    at         TEXT NOT NULL CHECK (length(at) = 24),
    PRIMARY KEY (account_id, product_id, party, field)
) STRICT;

-- Append-only and hash-chained: hash = sha256(prev, length of the row, row).
CREATE TABLE audit_log (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    at              TEXT NOT NULL CHECK (length(at) = 24),
    kind            TEXT NOT NULL,
    subscription_id INTEGER REFERENCES subscription (id),
    renewal         TEXT,
    po_number       TEXT,
    order_no        TEXT,
    transaction_no  TEXT,
    detail          TEXT NOT NULL,                             -- JSON
    hash            TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE INDEX audit_by_subscription ON audit_log (subscription_id);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- INSERT OR REPLACE deletes without a word: no delete trigger fires for it.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- R6, R7: the files this database has seen. One is in force, at most one waits for a person.
CREATE TABLE config_file (
    id      INTEGER PRIMARY KEY,
    path    TEXT NOT NULL,
    hash    TEXT NOT NULL,
    text    TEXT NOT NULL,
    seen_at TEXT NOT NULL CHECK (length(seen_at) = 24),
    state   TEXT NOT NULL CHECK (state IN ('in_force', 'waiting', 'past')),
    why     TEXT
) STRICT;

CREATE UNIQUE INDEX config_one_in_force ON config_file (state) WHERE state = 'in_force';
CREATE UNIQUE INDEX config_one_waiting ON config_file (state) WHERE state = 'waiting';

-- What needs a person and is not the state of one term: a pause, a file that waits, an entry that was refused.
CREATE TABLE notice (
    key        TEXT PRIMARY KEY,
    renewal    TEXT,
    since      TEXT NOT NULL CHECK (length(since) = 24),
    reason     TEXT NOT NULL,
    what_to_do TEXT NOT NULL
) STRICT;

-- What a person asked of a running daemon; ids are bound when it is queued (R14).
CREATE TABLE command (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    asked_at TEXT NOT NULL CHECK (length(asked_at) = 24),
    asked_by TEXT NOT NULL,
    request  TEXT NOT NULL,                                    -- JSON
    done_at  TEXT CHECK (length(done_at) = 24),
    answer   TEXT,
    ok       INTEGER CHECK (ok IN (0, 1))
) STRICT;

CREATE INDEX command_waiting ON command (id) WHERE done_at IS NULL;

-- R27: messages to people, sent at least once, the same cause at most once an hour.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL CHECK (length(created_at) = 24),
    cause      TEXT NOT NULL,
    renewal    TEXT,
    body       TEXT NOT NULL,                                  -- JSON
    next_at    TEXT CHECK (length(next_at) = 24),              -- NULL: sent, or nobody is to be told
    tries      INTEGER NOT NULL DEFAULT 0,
    sent_at    TEXT CHECK (length(sent_at) = 24),
    last_error TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_by_cause ON outbox (cause, created_at);
