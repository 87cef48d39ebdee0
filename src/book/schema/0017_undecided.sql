-- Orders whose newest version is to be decided about again: what the merchant did when it came has ended since, what the store is set to do has
-- changed, or nobody could tell what differs in it. Noted by the act itself, so that it is done whatever happens to the command.
CREATE TABLE undecided (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  tried TEXT,                               -- the version of the program that could not read what it takes; NULL: not tried
  tell INTEGER NOT NULL,                    -- whether what was told of the version before is told again: the order is another one by now
  keep INTEGER NOT NULL                     -- whether what was applied of the version stays: the store applied it by what it was set to do then
) STRICT;
-- What was kept before there was this table.
INSERT INTO undecided SELECT order_id, NULL, max(field IN ('unknown', 'payment')), 0 FROM changes
  WHERE field = 'unknown' OR (field IN ('cancelled', 'payment', 'hold') AND fate IN ('drift', 'review')) GROUP BY order_id;

-- What a list of what is to be sent leaves out: a cancellation at the channel that waits for the merchant's word.
CREATE INDEX changes_cancelled ON changes (order_id) WHERE field = 'cancelled' AND fate = 'review';

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
    -- As `orders --to-send` has it but for a store's waiting time (`send_after`), which no row knows: of a connected store, not gone at the channel, no
    -- cancellation there that waits, and not sent as its twin.
    o.to_send AND s.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id)
      AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.field = 'cancelled' AND c.fate = 'review')
      AND NOT EXISTS (SELECT 1 FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id
      WHERE t.order_id = o.id AND t.state <> 'denied'
        AND (w.status = 'shipped' OR (t.copy AND z.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = w.id)
          AND coalesce(w.bare_status, w.status) IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested')))) AS to_send
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;
