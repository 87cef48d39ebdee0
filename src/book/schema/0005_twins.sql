-- The same sale seen in two stores. Each pair has two rows, one for each of its orders.
CREATE TABLE twins (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  twin_id INTEGER NOT NULL REFERENCES orders (id),
  copy INTEGER NOT NULL,                    -- whether order_id is what a connector made of twin_id
  state TEXT NOT NULL CHECK (state IN ('found', 'confirmed', 'denied')),
  how TEXT NOT NULL,                        -- number, buyer, or merchant
  found_at INTEGER NOT NULL,
  PRIMARY KEY (order_id, twin_id)
) STRICT, WITHOUT ROWID;

-- By what a twin is looked for: time, place and total of a sale in one number (not negative), or a number of another store that an order
-- carries (negative). Hashes; what they point to is held against the rule.
CREATE TABLE twin_marks (
  mark INTEGER NOT NULL,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  PRIMARY KEY (mark, order_id)
) STRICT, WITHOUT ROWID;

-- Up to this number the orders came before twins were looked for, and still have to be looked at.
CREATE TABLE twins_unsought (up_to INTEGER NOT NULL) STRICT;
INSERT INTO twins_unsought SELECT coalesce(max(id), 0) FROM orders;

CREATE VIEW v_twins AS
  SELECT t.order_id, s.name AS store, o.number, t.twin_id, z.name AS twin_store, w.number AS twin_number, t.copy, t.state, t.how
  FROM twins t JOIN orders o ON o.id = t.order_id JOIN stores s ON s.id = o.store_id
  JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id;
