-- Orders whose personal data were taken out of the book (`personal.rs` says what these are).
CREATE TABLE cleared (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  cleared_at INTEGER NOT NULL,
  how TEXT NOT NULL CHECK (how IN ('purge', 'retention', 'forget'))
) STRICT;

-- The last clearing of each store's old orders, or the one that is under way.
CREATE TABLE purges (
  store_id INTEGER PRIMARY KEY REFERENCES stores (id),
  how TEXT NOT NULL CHECK (how IN ('purge', 'retention')),
  before INTEGER NOT NULL,                  -- orders to which nothing has happened since
  begun_at INTEGER NOT NULL,
  up_to INTEGER NOT NULL,                   -- orders up to this number were looked at
  orders INTEGER NOT NULL,                  -- how many were cleared
  left_out INTEGER NOT NULL,                -- how many are as old and not closed
  finished_at INTEGER                       -- NULL: under way
) STRICT;

-- Orders of people who are to be forgotten, not cleared yet.
CREATE TABLE forgetting (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id)
) STRICT;

-- What cleared orders have left in the file, until it is wiped.
CREATE TABLE wiping (
  words INTEGER NOT NULL,                   -- whether the index of words still has words of them
  page INTEGER                              -- up to which page the file was wiped since; NULL: nothing is left
) STRICT;
INSERT INTO wiping VALUES (0, NULL);

-- Clearing: by what an order's twins were looked for, and documents of it that could not be read once.
CREATE INDEX twin_marks_by_order ON twin_marks (order_id);
CREATE INDEX inbox_settled_subjects ON inbox (store_id, subject) WHERE resolved_at IS NOT NULL AND order_id IS NULL;
