-- What of a store is looked through again every so often (a bin, archived orders, refunds) is a walk of its own, called `pass/...`.

-- When it was last read to its end; NULL for every other walk.
ALTER TABLE cursors ADD COLUMN looked_at INTEGER;
-- While it is under way: where the next one begins.
ALTER TABLE cursors ADD COLUMN again TEXT;

-- `rereads.why` may also be 'asked': something has said that the order has changed, and it is read by its id.
