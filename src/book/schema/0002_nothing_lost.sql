-- What a book of the first version lacks. Every change of this step is made to such a book without loss.

-- Whose file this is ("ords"), for programs that ask.
PRAGMA application_id = 1869767795;

-- Orders to be read again later, each by itself: what the channel could not show when it was met. And what it could not show and nothing names:
-- that cannot be asked for, and is done with once all orders were read and it was not met.
CREATE TABLE rereads (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,                  -- the channel's id, or where the nameless one stands
  due_at INTEGER NOT NULL,                  -- not before
  why TEXT NOT NULL,                        -- unshown, or nameless
  tries INTEGER NOT NULL DEFAULT 0,         -- how often it was met or asked for in vain
  met_at INTEGER NOT NULL DEFAULT 0,        -- when it was met last
  PRIMARY KEY (store_id, remote_id)
) STRICT, WITHOUT ROWID;

-- What the timer's sync has told the merchant of, so that an outage is told once and not every half hour.
ALTER TABLE stores ADD COLUMN told_kind TEXT;
ALTER TABLE stores ADD COLUMN told_at INTEGER;

-- Whether all of an order was given back, all the money or every piece: nothing more of it is to be sent.
ALTER TABLE orders ADD COLUMN given_back INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET given_back = 1
  WHERE (CAST(refunded_total AS REAL) > 0 AND CAST(refunded_total AS REAL) >= CAST(total AS REAL))
    OR (EXISTS (SELECT 1 FROM lines l WHERE l.order_id = orders.id) AND NOT EXISTS (SELECT 1 FROM lines l
      WHERE l.order_id = orders.id AND (CAST(l.refunded AS REAL) <= 0 OR CAST(l.refunded AS REAL) < CAST(l.quantity AS REAL))));
-- `status`: the orders of a store that are late, counted without their rows.
CREATE INDEX orders_late ON orders (store_id, ship_by, placed_at) WHERE status = 'awaiting-fulfillment' AND given_back = 0;
-- `status`: dispatches and cancellations that were refused.
CREATE INDEX outbox_failed ON outbox (store_id, order_id, kind) WHERE state = 'failed';

-- How far a row's writes have got at the channel: 'no' (surely nothing is there), 'trying' (the first write is under way, or was when the
-- process ended), 'maybe' (the answer to one was lost), 'yes' (the channel took one).
ALTER TABLE outbox ADD COLUMN written TEXT NOT NULL DEFAULT 'maybe' CHECK (written IN ('no', 'trying', 'maybe', 'yes'));
-- JSON: the writes that the channel took. None of them is made again by itself.
ALTER TABLE outbox ADD COLUMN acknowledged TEXT NOT NULL DEFAULT '[]';
-- How often in a row it was looked for in vain what the channel took.
ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
-- Whether it goes out although the order is not paid.
ALTER TABLE outbox ADD COLUMN unpaid INTEGER NOT NULL DEFAULT 0;

-- Whether it goes out although the order is on hold.
ALTER TABLE outbox ADD COLUMN on_hold INTEGER NOT NULL DEFAULT 0;

-- A write that was refused the first time it was made, or of which the adapter knew before that it is impossible, has changed nothing. Of a
-- second one nobody knows: it may have been the second half of a dispatch, of which the channel took the first.
UPDATE outbox SET written = CASE
    WHEN attempts = 0 THEN 'no'
    WHEN receipts <> '[]' OR state IN ('sent', 'confirmed') THEN 'yes'
    WHEN state = 'queued' AND attempts = 1 THEN 'no'
    WHEN state = 'failed' AND error_kind = 'rejected' AND (attempts = 1 OR doing LIKE 'nothing: %') THEN 'no'
    ELSE 'maybe' END;
UPDATE outbox SET acknowledged = json_array('doing ' || doing) WHERE state = 'sent' AND doing <> '';
-- There it said these as well.
UPDATE outbox SET unpaid = 1, on_hold = 1 WHERE guard <> 'check';

-- That the merchant has cancelled an order in the book only, which the channel does not know: the newest row of the order's outbox at that
-- time, 0 where there was none. A dispatch that was recorded after it is the merchant's later word.
ALTER TABLE orders ADD COLUMN cancelled_after INTEGER;
UPDATE orders SET cancelled_after = coalesce((SELECT max(x.id) FROM outbox x WHERE x.order_id = orders.id), 0)
  WHERE status = 'cancelled' AND 'cancelled here only' = (SELECT h.what FROM history h
    WHERE h.order_id = orders.id AND h.what IN ('cancelled', 'cancelled here only', 'dispatched') ORDER BY h.rowid DESC LIMIT 1);

-- By what version of the program, and with what setting, the copies of a store's orders were last read from their documents.
CREATE TABLE readings (
  store_id INTEGER PRIMARY KEY REFERENCES stores (id),
  program TEXT NOT NULL,
  statuses TEXT NOT NULL                    -- the setting: what added status words mean
) STRICT;

-- A shop's own time: since when (milliseconds since 1970) its clock is how many seconds before UTC. Filled from the time zone that the
-- channel names; none: UTC. The offset of an order is the last one before it was placed.
CREATE TABLE zone_offsets (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  since INTEGER NOT NULL,
  seconds INTEGER NOT NULL,
  PRIMARY KEY (store_id, since)
) STRICT, WITHOUT ROWID;

-- Sales by the shop's own day. SQLite has no decimals, and floats lose cents: amounts are added up as two integers, the whole part and nine
-- decimals, and put together again as text at the currency's own scale. Exact for every amount with no more than nine decimals.
DROP VIEW v_sales_by_day;
CREATE VIEW v_sales_by_day AS
  WITH parts AS (
    SELECT s.name AS store, o.currency,
      strftime('%Y-%m-%d', o.placed_at / 1000 + coalesce((SELECT z.seconds FROM zone_offsets z
        WHERE z.store_id = o.store_id AND z.since <= o.placed_at ORDER BY z.since DESC LIMIT 1), 0), 'unixepoch') AS day,
      CAST(o.total AS INTEGER) AS whole,
      iif(o.total LIKE '-%', -1, 1) * CAST(substr(substr(o.total, instr(o.total || '.', '.') + 1) || '000000000', 1, 9) AS INTEGER) AS nano,
      CAST(o.refunded_total AS INTEGER) AS refunded_whole,
      iif(o.refunded_total LIKE '-%', -1, 1)
        * CAST(substr(substr(o.refunded_total, instr(o.refunded_total || '.', '.') + 1) || '000000000', 1, 9) AS INTEGER) AS refunded_nano
    FROM orders o JOIN stores s ON s.id = o.store_id
    WHERE o.status NOT IN ('cancelled', 'awaiting-payment') AND NOT o.test),
  sums AS (
    SELECT day, store, currency, count(*) AS orders,
      sum(whole) + sum(nano) / 1000000000 AS w, sum(nano) % 1000000000 AS n,
      sum(refunded_whole) + sum(refunded_nano) / 1000000000 AS rw, sum(refunded_nano) % 1000000000 AS rn,
      CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency IN ('CLF', 'UYW') THEN 4
        ELSE 2
      END AS places
    FROM parts GROUP BY day, store, currency),
  -- Both parts with one sign: 5 and -0.5 are 4 and 0.5.
  even AS (
    SELECT day, store, currency, orders, places,
      w - (w > 0 AND n < 0) + (w < 0 AND n > 0) AS w, n + 1000000000 * ((w > 0 AND n < 0) - (w < 0 AND n > 0)) AS n,
      rw - (rw > 0 AND rn < 0) + (rw < 0 AND rn > 0) AS rw, rn + 1000000000 * ((rw > 0 AND rn < 0) - (rw < 0 AND rn > 0)) AS rn
    FROM sums),
  digits AS (
    SELECT *, printf('%09d', abs(n)) AS d, max(places, length(rtrim(printf('%09d', abs(n)), '0'))) AS l,
      printf('%09d', abs(rn)) AS rd, max(places, length(rtrim(printf('%09d', abs(rn)), '0'))) AS rl
    FROM even)
  SELECT day, store, currency, orders,
    iif(w < 0 OR n < 0, '-', '') || abs(w) || iif(l > 0, '.' || substr(d, 1, l), '') AS total,
    iif(rw < 0 OR rn < 0, '-', '') || abs(rw) || iif(rl > 0, '.' || substr(rd, 1, rl), '') AS refunded
  FROM digits;

-- Under one name in all views: order_id is the number that commands take. What was there before stays.
DROP VIEW v_orders;
CREATE VIEW v_orders AS
  SELECT o.id, s.name AS store, s.channel, o.number, o.remote_id, o.status, o.channel_status,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.placed_at / 1000, 'unixepoch') AS placed_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.paid_at / 1000, 'unixepoch') AS paid_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', o.ship_by / 1000, 'unixepoch') AS ship_by,
    o.currency, o.total, o.shipping_total, o.tax_total, o.discount_total, o.refunded_total,
    o.buyer_name, o.buyer_email, a.name AS ship_name, a.company AS ship_company, a.line1 AS ship_line1,
    a.line2 AS ship_line2, a.postcode AS ship_postcode, a.city AS ship_city, a.region AS ship_region, a.country AS ship_country,
    EXISTS (SELECT 1 FROM versions v WHERE v.order_id = o.id AND v.role = 'newest') AS drifted,
    o.id AS order_id, o.test
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;

CREATE VIEW v_history AS
  SELECT h.order_id, s.name AS store, o.number, strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000, 'unixepoch') AS at, h.what, h.detail
  FROM history h JOIN orders o ON o.id = h.order_id JOIN stores s ON s.id = o.store_id;
