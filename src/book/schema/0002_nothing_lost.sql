-- Orders to be read again later, each by itself: what the channel could not show when it was met.
CREATE TABLE rereads (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,                  -- the channel's id
  due_at INTEGER NOT NULL,                  -- not before
  why TEXT NOT NULL,                        -- unshown
  tries INTEGER NOT NULL DEFAULT 0,         -- how often it was met or asked for in vain
  PRIMARY KEY (store_id, remote_id)
) STRICT, WITHOUT ROWID;

-- What the timer's sync has told the merchant of, so that an outage is told once and not every half hour.
ALTER TABLE stores ADD COLUMN told_kind TEXT;
ALTER TABLE stores ADD COLUMN told_at INTEGER;

-- `status`: the orders of a store that are late, counted without their rows.
CREATE INDEX orders_late ON orders (store_id, ship_by, placed_at) WHERE status = 'awaiting-fulfillment';
-- `status`: dispatches and cancellations that were refused.
CREATE INDEX outbox_failed ON outbox (store_id, order_id, kind) WHERE state = 'failed';
