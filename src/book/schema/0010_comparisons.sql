-- A comparison of a store's list of orders with the book that is under way: it goes on where it was interrupted. It has walks of its own,
-- which no sync knows of.
CREATE TABLE comparisons (
  store_id INTEGER PRIMARY KEY REFERENCES stores (id),
  asked TEXT NOT NULL,                      -- what was asked for, in the words of the command
  since INTEGER,                            -- from when on; NULL: from the first order on
  until INTEGER NOT NULL,                   -- up to when: the time it began
  settled INTEGER NOT NULL,                 -- what was modified later than this is for the next sync
  begun_at INTEGER NOT NULL,
  orders INTEGER,                           -- how many the channel counts
  requests INTEGER,                         -- what listing them was said to cost
  made INTEGER NOT NULL DEFAULT 0           -- how many requests listed them so far
) STRICT;

CREATE TABLE comparison_walks (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  nth INTEGER NOT NULL,
  position TEXT NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (store_id, nth)
) STRICT, WITHOUT ROWID;

-- What it has met so far; gone when it is over.
CREATE TABLE listed (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,                  -- the channel's id, or where the nameless one stands
  modified_at INTEGER,                      -- NULL: not told
  state TEXT NOT NULL,                      -- shown, unshown (the channel itself could not show it), or nameless
  why TEXT NOT NULL,                        -- what the channel answered in its place
  PRIMARY KEY (store_id, remote_id)
) STRICT, WITHOUT ROWID;

-- When the store was last compared to the end by the timer.
ALTER TABLE stores ADD COLUMN last_nightly_at INTEGER;

-- Orders that the channel has no more, since when that is known. They stay in the book.
CREATE TABLE gone (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  found_at INTEGER NOT NULL
) STRICT;

-- `reconcile`: the orders of a time, and the newest ones.
CREATE INDEX versions_by_time ON versions (updated_at, order_id, role);
