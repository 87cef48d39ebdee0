-- The order book. Times are milliseconds since 1970 in UTC; amounts are exact decimal texts as the channel gave them;
-- the views at the end show both in a form for people and for any SQLite tool.

CREATE TABLE stores (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  remote_id TEXT NOT NULL,                  -- what makes the shop the same shop under another name
  title TEXT NOT NULL,
  url TEXT NOT NULL,
  currency TEXT,
  time_zone TEXT NOT NULL,
  settings TEXT NOT NULL,                   -- JSON object of texts; never a secret
  facts TEXT NOT NULL,                      -- JSON: what the adapter found out about the shop
  since INTEGER,                            -- how far back orders are wanted; NULL: all
  connected_at INTEGER NOT NULL,
  removed_at INTEGER,
  tested_at INTEGER,
  test_error TEXT,                          -- NULL: the last test passed
  last_sync_at INTEGER,
  last_autosync_at INTEGER,
  paused_until INTEGER,                     -- the channel asked to be left alone until then
  paused_why TEXT,
  UNIQUE (channel, remote_id)
) STRICT;

CREATE TABLE cursors (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  walk TEXT NOT NULL,
  position TEXT NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (store_id, walk)
) STRICT, WITHOUT ROWID;

-- The merchant's working copy of each order. `id` is the short number that commands take.
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,
  number TEXT NOT NULL,
  status TEXT NOT NULL,
  channel_status TEXT NOT NULL,
  presence TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  imported_at INTEGER NOT NULL,
  paid_at INTEGER,
  ship_by INTEGER,
  currency TEXT NOT NULL,
  total TEXT NOT NULL,
  lines_total TEXT NOT NULL,
  shipping_total TEXT NOT NULL,
  tax_total TEXT NOT NULL,
  discount_total TEXT NOT NULL,
  refunded_total TEXT NOT NULL,
  shop_currency TEXT,
  shop_totals TEXT,                         -- JSON: the same sums in the shop's own currency
  prices_include_tax INTEGER NOT NULL,
  buyer_remote_id TEXT NOT NULL,
  buyer_name TEXT NOT NULL,
  buyer_email TEXT NOT NULL,
  buyer_phone TEXT NOT NULL,
  payment_method TEXT NOT NULL,
  payment_title TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  buyer_note TEXT NOT NULL,
  source TEXT NOT NULL,
  test INTEGER NOT NULL,
  attributes TEXT NOT NULL                  -- JSON: pairs of label and text
) STRICT;

-- Import and STORE:ID: one order of one store, once.
CREATE UNIQUE INDEX orders_by_remote_id ON orders (store_id, remote_id);
-- `orders`: the newest first.
CREATE INDEX orders_by_time ON orders (placed_at);
-- `orders --status`: the newest of a status first.
CREATE INDEX orders_by_status ON orders (status, placed_at);
-- An order named by the channel's own number.
CREATE INDEX orders_by_number ON orders (number);
-- `orders --search` with an e-mail address.
CREATE INDEX orders_by_email ON orders (buyer_email) WHERE buyer_email <> '';

CREATE TABLE lines (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  position INTEGER NOT NULL,
  remote_id TEXT NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  variant TEXT NOT NULL,
  product_id TEXT NOT NULL,
  quantity TEXT NOT NULL,
  refunded TEXT NOT NULL,
  unit_price TEXT NOT NULL,
  total TEXT NOT NULL,
  tax TEXT NOT NULL,
  ships INTEGER NOT NULL,
  ship_to INTEGER NOT NULL,
  PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE addresses (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  kind TEXT NOT NULL,                       -- ship or bill
  position INTEGER NOT NULL,
  remote_id TEXT,
  name TEXT NOT NULL,
  company TEXT NOT NULL,
  line1 TEXT NOT NULL,
  line2 TEXT NOT NULL,
  city TEXT NOT NULL,
  region TEXT NOT NULL,
  postcode TEXT NOT NULL,
  country TEXT NOT NULL,
  phone TEXT NOT NULL,
  email TEXT NOT NULL,
  PRIMARY KEY (order_id, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE charges (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,                       -- shipping, tax, fee or discount
  remote_id TEXT NOT NULL,
  code TEXT NOT NULL,
  title TEXT NOT NULL,
  amount TEXT NOT NULL,
  tax TEXT NOT NULL,
  PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE refunds (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  position INTEGER NOT NULL,
  remote_id TEXT NOT NULL,
  refunded_at INTEGER,
  amount TEXT NOT NULL,
  reason TEXT NOT NULL,
  lines TEXT NOT NULL,                      -- JSON: which lines, how many, how much
  PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- Shipments: the merchant's own (`key`) and the ones that the channel showed at import (`remote_id`).
CREATE TABLE shipments (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  key TEXT UNIQUE,
  remote_id TEXT NOT NULL,
  shipped_at INTEGER,
  notify INTEGER NOT NULL
) STRICT;
-- `show`: the shipments of an order.
CREATE INDEX shipments_by_order ON shipments (order_id);

CREATE TABLE shipment_lines (
  shipment_id INTEGER NOT NULL REFERENCES shipments (id) ON DELETE CASCADE,
  line_id TEXT NOT NULL,
  quantity TEXT NOT NULL,
  PRIMARY KEY (shipment_id, line_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE parcels (
  shipment_id INTEGER NOT NULL REFERENCES shipments (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  carrier TEXT NOT NULL,
  tracking TEXT NOT NULL,
  url TEXT,
  PRIMARY KEY (shipment_id, position)
) STRICT, WITHOUT ROWID;

-- What the channel said. `base`: the version that the merchant last imported or accepted. `newest`: a later one that is kept
-- beside it, present only while the two differ.
CREATE TABLE versions (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  role TEXT NOT NULL CHECK (role IN ('base', 'newest')),
  updated_at INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  codec INTEGER NOT NULL,                   -- 0: as it is; 1: zstd; 2 and up: zstd with that dictionary
  document BLOB NOT NULL,
  PRIMARY KEY (order_id, role)
) STRICT;                                   -- with rowid: without, SQLite would give each document over 1 000 bytes a page of its own
-- `status`: how many orders have drifted.
CREATE INDEX versions_newest ON versions (order_id) WHERE role = 'newest';

-- The audit trail.
CREATE TABLE history (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
-- `show --history`.
CREATE INDEX history_by_order ON history (order_id);

-- How many orders of a store have which status, kept by triggers, so that `status` need not count a million rows.
CREATE TABLE counts (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  status TEXT NOT NULL,
  orders INTEGER NOT NULL,
  PRIMARY KEY (store_id, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER orders_counted AFTER INSERT ON orders BEGIN
  INSERT INTO counts VALUES (new.store_id, new.status, 1)
    ON CONFLICT DO UPDATE SET orders = orders + 1;
END;

CREATE TRIGGER orders_recounted AFTER UPDATE OF status ON orders WHEN old.status <> new.status BEGIN
  UPDATE counts SET orders = orders - 1 WHERE store_id = old.store_id AND status = old.status;
  INSERT INTO counts VALUES (new.store_id, new.status, 1)
    ON CONFLICT DO UPDATE SET orders = orders + 1;
END;

CREATE TRIGGER orders_uncounted AFTER DELETE ON orders BEGIN
  UPDATE counts SET orders = orders - 1 WHERE store_id = old.store_id AND status = old.status;
END;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  store_id INTEGER NOT NULL REFERENCES stores (id),
  order_id INTEGER NOT NULL REFERENCES orders (id),
  shipment_id INTEGER REFERENCES shipments (id),
  kind TEXT NOT NULL,                       -- dispatch, cancel or tracking
  goal TEXT NOT NULL,                       -- JSON: what is to be true at the channel
  guard TEXT NOT NULL,                      -- check, as-local or force
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'unknown', 'sent', 'confirmed', 'failed', 'withdrawn')),
  status_before TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  queued_at INTEGER NOT NULL,
  attempted_at INTEGER,
  next_at INTEGER,
  settled_at INTEGER,
  doing TEXT NOT NULL DEFAULT '',           -- the write that is or was under way, in words
  receipts TEXT NOT NULL DEFAULT '[]',      -- JSON: what the channel answered
  error_kind TEXT,
  error TEXT
) STRICT;
-- Sync: what is still to be sent, and `status`: the oldest of it.
CREATE INDEX outbox_open ON outbox (store_id, id) WHERE state IN ('queued', 'sending', 'unknown', 'sent');
-- `show`: what became of an order's dispatches.
CREATE INDEX outbox_by_order ON outbox (order_id);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  store_id INTEGER REFERENCES stores (id),
  order_id INTEGER REFERENCES orders (id),
  kind TEXT NOT NULL,                       -- unreadable, rejected, cancelled, shipped, credentials
  subject TEXT NOT NULL,                    -- what it is about within the store, so that it stands here once
  text TEXT NOT NULL,
  hint TEXT NOT NULL,
  document TEXT,                            -- the channel's document of an order that could not be read
  program TEXT,                             -- the version of ordersync that could not read it
  created_at INTEGER NOT NULL,
  resolved_at INTEGER
) STRICT;
-- Once per subject while it is open, and `inbox`.
CREATE UNIQUE INDEX inbox_open ON inbox (store_id, kind, subject) WHERE resolved_at IS NULL;
-- `show`: what an order needs.
CREATE INDEX inbox_by_order ON inbox (order_id) WHERE resolved_at IS NULL AND order_id IS NOT NULL;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                       -- sync, autosync or pull
  dry INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER                       -- NULL: still at work, or killed
) STRICT;

CREATE TABLE run_stores (
  run_id INTEGER NOT NULL REFERENCES runs (id),
  store_id INTEGER NOT NULL REFERENCES stores (id),
  new INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  drafts INTEGER NOT NULL DEFAULT 0,
  exported INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  error_kind TEXT,
  error TEXT,
  PRIMARY KEY (run_id, store_id)
) STRICT, WITHOUT ROWID;

CREATE VIEW v_orders AS
  SELECT o.id, s.name AS store, s.channel, o.number, o.remote_id, o.status, o.channel_status,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.placed_at / 1000, 'unixepoch') AS placed_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.paid_at / 1000, 'unixepoch') AS paid_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.ship_by / 1000, 'unixepoch') AS ship_by,
    o.currency, o.total, o.shipping_total, o.tax_total, o.discount_total, o.refunded_total,
    o.buyer_name, o.buyer_email, a.name AS ship_name, a.company AS ship_company, a.line1 AS ship_line1,
    a.line2 AS ship_line2, a.postcode AS ship_postcode, a.city AS ship_city, a.region AS ship_region, a.country AS ship_country,
    EXISTS (SELECT 1 FROM versions v WHERE v.order_id = o.id AND v.role = 'newest') AS drifted
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;

CREATE VIEW v_lines AS
  SELECT l.order_id, s.name AS store, o.number, o.status, l.position + 1 AS line, l.sku, l.name, l.variant,
    l.quantity, l.refunded, l.unit_price, l.total, l.tax, o.currency
  FROM lines l JOIN orders o ON o.id = l.order_id JOIN stores s ON s.id = o.store_id;

CREATE VIEW v_shipments AS
  SELECT sh.order_id, s.name AS store, o.number, p.carrier, p.tracking, p.url,
    strftime('%Y-%m-%dT%H:%M:%SZ', sh.shipped_at / 1000, 'unixepoch') AS shipped_at,
    coalesce((SELECT x.state FROM outbox x WHERE x.shipment_id = sh.id), 'confirmed') AS state
  FROM shipments sh JOIN orders o ON o.id = sh.order_id JOIN stores s ON s.id = o.store_id
  LEFT JOIN parcels p ON p.shipment_id = sh.id;

CREATE VIEW v_refunds AS
  SELECT r.order_id, s.name AS store, o.number, r.amount, o.currency, r.reason,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.refunded_at / 1000, 'unixepoch') AS refunded_at
  FROM refunds r JOIN orders o ON o.id = r.order_id JOIN stores s ON s.id = o.store_id;

CREATE VIEW v_outbox AS
  SELECT x.id, s.name AS store, x.order_id, o.number, x.kind, x.state, x.attempts, x.doing, x.error,
    strftime('%Y-%m-%dT%H:%M:%SZ', x.queued_at / 1000, 'unixepoch') AS queued_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', x.next_at / 1000, 'unixepoch') AS next_at
  FROM outbox x JOIN orders o ON o.id = x.order_id JOIN stores s ON s.id = x.store_id;

CREATE VIEW v_inbox AS
  SELECT i.id, s.name AS store, i.order_id, i.kind, i.text, i.hint,
    strftime('%Y-%m-%dT%H:%M:%SZ', i.created_at / 1000, 'unixepoch') AS created_at
  FROM inbox i LEFT JOIN stores s ON s.id = i.store_id WHERE i.resolved_at IS NULL;

CREATE VIEW v_runs AS
  SELECT r.id, r.kind, s.name AS store,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.started_at / 1000, 'unixepoch') AS started_at,
    (r.finished_at - r.started_at) / 1000.0 AS seconds,
    rs.new + rs.changed + rs.unchanged + rs.failed AS fetched, rs.new, rs.changed, rs.unchanged, rs.failed,
    rs.exported, rs.requests, rs.error
  FROM runs r LEFT JOIN run_stores rs ON rs.run_id = r.id LEFT JOIN stores s ON s.id = rs.store_id;

CREATE VIEW v_sales_by_day AS
  SELECT strftime('%Y-%m-%d', o.placed_at / 1000, 'unixepoch') AS day, s.name AS store, o.currency,
    count(*) AS orders, round(sum(CAST(o.total AS REAL)), 2) AS total, round(sum(CAST(o.refunded_total AS REAL)), 2) AS refunded
  FROM orders o JOIN stores s ON s.id = o.store_id
  WHERE o.status NOT IN ('cancelled', 'awaiting-payment') AND NOT o.test
  GROUP BY day, store, o.currency;
