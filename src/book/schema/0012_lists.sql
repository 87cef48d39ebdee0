-- Whether anything of an order goes into a parcel (else it is picked up, downloaded, or a gift card). One of which no line is known may.
ALTER TABLE orders ADD COLUMN ships INTEGER NOT NULL DEFAULT 1;
UPDATE orders SET ships = 0
  WHERE EXISTS (SELECT 1 FROM lines l WHERE l.order_id = orders.id) AND NOT EXISTS (SELECT 1 FROM lines l WHERE l.order_id = orders.id AND l.ships);

-- What is to be sent: the rule, for the lists, the counts and the views alike. Why an order that is open is not to be sent; NULL for all others.
ALTER TABLE orders ADD COLUMN left_out TEXT GENERATED ALWAYS AS (CASE
    WHEN status NOT IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') THEN NULL
    WHEN test THEN 'test'
    WHEN given_back THEN 'given-back'
    WHEN NOT ships THEN 'no-parcel' END) VIRTUAL;
ALTER TABLE orders ADD COLUMN to_send INTEGER GENERATED ALWAYS AS (
    status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND NOT test AND NOT given_back AND ships) VIRTUAL;

-- `status` and `orders --late`, `--today`: what is due, of each store, counted without a look at the rows.
DROP INDEX orders_late;
-- By what the columns are computed from: of a computed column SQLite reads the whole row, so that an index by it counts nothing.
CREATE INDEX orders_to_send ON orders (store_id, ship_by, placed_at, status, test, given_back, ships)
  WHERE status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND test = 0 AND given_back = 0 AND ships = 1;
-- What a list of what is to be sent leaves out.
CREATE INDEX orders_left_out ON orders (store_id, test, given_back, ships, status, ship_by, placed_at)
  WHERE status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND (test = 1 OR given_back = 1 OR ships = 0);

-- The index of words that `orders --search` asks: no texts in it, only which document has which word.
CREATE VIRTUAL TABLE search USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii');
-- The document of each order in it.
CREATE TABLE searched (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  document INTEGER NOT NULL
) STRICT;
-- The last event of the audit trail that it has seen: later ones are of orders that are to be looked at again.
CREATE TABLE search_seen (up_to INTEGER NOT NULL) STRICT;
INSERT INTO search_seen VALUES (0);

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
    o.id AS order_id, o.test,
    -- As `orders --to-send` has it but for a store's waiting time (`send_after`), which no row knows: of a connected store, not gone at the channel, and not sent as its twin.
    o.to_send AND s.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id) AND NOT EXISTS (SELECT 1 FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id
      WHERE t.order_id = o.id AND t.state <> 'denied'
        AND (w.status = 'shipped' OR (t.copy AND z.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = w.id)
          AND coalesce(w.bare_status, w.status) IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested')))) AS to_send
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;
