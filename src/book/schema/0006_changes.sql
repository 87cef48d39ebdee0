-- What became of the newer version that is kept beside a copy, field by field: written whenever one comes, gone once the two say the same.
CREATE TABLE changes (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  field TEXT NOT NULL,                      -- unknown: the version was not compared yet
  fate TEXT NOT NULL CHECK (fate IN ('applied', 'fact', 'drift', 'review', 'rejected')),
  PRIMARY KEY (order_id, field)
) STRICT, WITHOUT ROWID;
-- `status` and `orders --changed`: what differs from the copy.
CREATE INDEX changes_apart ON changes (order_id) WHERE fate <> 'applied';
-- `status` and `changes`: what waits for the merchant.
CREATE INDEX changes_waiting ON changes (order_id) WHERE fate = 'review';
-- Versions that were kept before there was this table differ.
INSERT INTO changes SELECT order_id, 'unknown', 'drift' FROM versions WHERE role = 'newest';

-- What the merchant does not want of a newer version: a field, and a hash of its value there.
CREATE TABLE rejections (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  field TEXT NOT NULL,
  mark BLOB NOT NULL,
  PRIMARY KEY (order_id, field)
) STRICT, WITHOUT ROWID;

DROP VIEW v_orders;
CREATE VIEW v_orders AS
  SELECT o.id, s.name AS store, s.channel, o.number, o.remote_id, o.status, o.channel_status,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.placed_at / 1000, 'unixepoch') AS placed_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.paid_at / 1000, 'unixepoch') AS paid_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.ship_by / 1000, 'unixepoch') AS ship_by,
    o.currency, o.total, o.shipping_total, o.tax_total, o.discount_total, o.refunded_total,
    o.buyer_name, o.buyer_email, a.name AS ship_name, a.company AS ship_company, a.line1 AS ship_line1,
    a.line2 AS ship_line2, a.postcode AS ship_postcode, a.city AS ship_city, a.region AS ship_region, a.country AS ship_country,
    EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate <> 'applied') AS drifted,
    o.id AS order_id, o.test
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;
