-- What is needed to say again what still stands open, and to notice that nobody works on the database.

-- When `run --once` last ended: an installation that is run by a timer has no daemon, and is well all the same.
ALTER TABLE installation ADD COLUMN once_at TEXT CHECK (length(once_at) = 24);

-- R27: every set of channels that was tried and worked, by its hash.
CREATE TABLE channels_tested (
    fingerprint TEXT PRIMARY KEY,
    at          TEXT NOT NULL CHECK (length(at) = 24)
) STRICT;

INSERT INTO channels_tested (fingerprint, at) SELECT channels, created_at FROM installation WHERE channels IS NOT NULL;

-- When people are told of a notice again; NULL where what raises it tells by itself. And by when it matters.
ALTER TABLE notice ADD COLUMN again_at TEXT CHECK (length(again_at) = 24);
ALTER TABLE notice ADD COLUMN by_at TEXT CHECK (length(by_at) = 24);

UPDATE notice SET again_at = since WHERE key NOT LIKE 'portal%' AND key NOT LIKE 'row:%';

CREATE INDEX notice_again ON notice (again_at) WHERE again_at IS NOT NULL;
