-- What a book of the first version lacks. Every change of this step is made to such a book without loss.

-- Whose file this is ("ords"), for programs that ask.
PRAGMA application_id = 1869767795;

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

-- How far a row's writes have got at the channel: 'no' (surely nothing is there), 'trying' (the first write is under way, or was when the
-- process ended), 'maybe' (the answer to one was lost), 'yes' (the channel took one).
ALTER TABLE outbox ADD COLUMN written TEXT NOT NULL DEFAULT 'maybe' CHECK (written IN ('no', 'trying', 'maybe', 'yes'));
-- JSON: the writes that the channel took. None of them is made again by itself.
ALTER TABLE outbox ADD COLUMN acknowledged TEXT NOT NULL DEFAULT '[]';
-- How often in a row it was looked for in vain what the channel took.
ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
-- Whether it goes out although the order is not paid.
ALTER TABLE outbox ADD COLUMN unpaid INTEGER NOT NULL DEFAULT 0;

-- A write that was refused the first time it was made, or of which the adapter knew before that it is impossible, has changed nothing.
UPDATE outbox SET written = CASE
    WHEN attempts = 0 THEN 'no'
    WHEN receipts <> '[]' OR state IN ('sent', 'confirmed') THEN 'yes'
    WHEN state = 'queued' THEN 'no'
    WHEN state = 'failed' AND error_kind = 'rejected' AND (attempts = 1 OR doing LIKE 'nothing: %') THEN 'no'
    ELSE 'maybe' END;
UPDATE outbox SET acknowledged = json_array('doing ' || doing) WHERE state = 'sent' AND doing <> '';
-- There it said this as well.
UPDATE outbox SET unpaid = 1 WHERE guard <> 'check';

-- By what version of the program, and with what setting, the copies of a store's orders were last read from their documents.
CREATE TABLE readings (
  store_id INTEGER PRIMARY KEY REFERENCES stores (id),
  program TEXT NOT NULL,
  statuses TEXT NOT NULL                    -- the setting: what added status words mean
) STRICT;
