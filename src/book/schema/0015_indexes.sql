-- `show`, and every shipment that goes: what of the outbox tells of a shipment.
CREATE INDEX outbox_by_shipment ON outbox (shipment_id) WHERE shipment_id IS NOT NULL;
-- `status`: refusals that were dealt with. Import: what was asked of an order before.
CREATE INDEX inbox_settled ON inbox (order_id, resolved_at) WHERE order_id IS NOT NULL AND resolved_at IS NOT NULL;
-- Import: status words that were told of before.
CREATE INDEX inbox_settled_words ON inbox (store_id, subject) WHERE kind = 'status' AND resolved_at IS NOT NULL;

-- What is to be sent, and what is left out of it (`orders.to_send`, `orders.left_out`), by what these columns are computed from: of a computed
-- column SQLite reads the whole row, so that an index by it counts nothing.
DROP INDEX orders_to_send;
CREATE INDEX orders_to_send ON orders (store_id, ship_by, placed_at, status, test, given_back, ships)
  WHERE status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND test = 0 AND given_back = 0 AND ships = 1;
DROP INDEX orders_left_out;
CREATE INDEX orders_left_out ON orders (store_id, test, given_back, ships, status, ship_by, placed_at)
  WHERE status IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested') AND (test = 1 OR given_back = 1 OR ships = 0);

-- Which order the last comparison read by its id because a list lacked it: the next one begins behind it.
ALTER TABLE stores ADD COLUMN looked_up INTEGER;
-- When the timer last began to compare the store and did not come to the end.
ALTER TABLE stores ADD COLUMN nightly_failed_at INTEGER;

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
    -- As `orders --to-send` has it: of a connected store, not gone at the channel, and not sent as its twin.
    o.to_send AND s.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = o.id) AND NOT EXISTS (SELECT 1 FROM twins t JOIN orders w ON w.id = t.twin_id JOIN stores z ON z.id = w.store_id
      WHERE t.order_id = o.id AND t.state <> 'denied'
        AND (w.status = 'shipped' OR (t.copy AND z.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.order_id = w.id)
          AND coalesce(w.bare_status, w.status) IN ('awaiting-fulfillment', 'partially-shipped', 'dropshipment-requested')))) AS to_send
  FROM orders o JOIN stores s ON s.id = o.store_id
  LEFT JOIN addresses a ON a.order_id = o.id AND a.kind = 'ship' AND a.position = 0;
