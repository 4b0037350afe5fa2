-- R11 asks for each order whether another subscription's order looks the same: without this, of ten thousand that are due at once each reads all
-- that were ordered before.
CREATE INDEX attempt_by_look ON attempt (looks_like);
