-- What the merchant does with orders in the book alone. The channels are told nothing of it.

-- The status without what the merchant does with the order here, a hold or a request to a supplier; NULL: the same.
ALTER TABLE orders ADD COLUMN bare_status TEXT;

-- Orders that the merchant holds back.
CREATE TABLE holds (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  held_at INTEGER NOT NULL,
  until INTEGER,                            -- when it is released by itself; NULL: when the merchant releases it
  reason TEXT NOT NULL
) STRICT;
-- What is to be released by itself.
CREATE INDEX holds_due ON holds (until) WHERE until IS NOT NULL;

-- Orders that a supplier was asked to ship.
CREATE TABLE dropships (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  requested_at INTEGER NOT NULL,
  supplier TEXT NOT NULL                    -- empty: not said
) STRICT;

-- Refunds that the merchant has made by hand.
CREATE TABLE own_refunds (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  number INTEGER NOT NULL,                  -- 1, 2, ... of the order; none is given twice
  refunded_at INTEGER NOT NULL,
  amount TEXT NOT NULL,
  reason TEXT NOT NULL,
  lines TEXT NOT NULL,                      -- JSON: which lines, how many pieces
  known TEXT NOT NULL,                      -- how much was given back at the channel when it was recorded
  removed_at INTEGER,
  PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;
-- The pieces of a line given back by what the channel says, where the merchant has given back more; NULL: `refunded`.
ALTER TABLE lines ADD COLUMN refunded_there TEXT;

-- The merchant's own notes.
CREATE TABLE notes (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  number INTEGER NOT NULL,                  -- 1, 2, ... of the order; none is given twice
  written_at INTEGER NOT NULL,
  text TEXT NOT NULL,                       -- empty once it is removed
  removed_at INTEGER,
  PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

-- The merchant's own tags.
CREATE TABLE tags (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  tag TEXT NOT NULL,
  PRIMARY KEY (order_id, tag)
) STRICT, WITHOUT ROWID;
-- `orders --tag`.
CREATE INDEX tags_by_tag ON tags (tag, order_id);
