-- `show`, and every shipment that goes: what of the outbox tells of a shipment.
CREATE INDEX outbox_by_shipment ON outbox (shipment_id) WHERE shipment_id IS NOT NULL;
-- `status`: refusals that were dealt with. Import: what was asked of an order before.
CREATE INDEX inbox_settled ON inbox (order_id, resolved_at) WHERE order_id IS NOT NULL AND resolved_at IS NOT NULL;
-- Import: status words that were told of before.
CREATE INDEX inbox_settled_words ON inbox (store_id, subject) WHERE kind = 'status' AND resolved_at IS NOT NULL;

-- Which order the last comparison read by its id because a list lacked it: the next one begins behind it.
ALTER TABLE stores ADD COLUMN looked_up INTEGER;
-- When the timer last began to compare the store and did not come to the end.
ALTER TABLE stores ADD COLUMN nightly_failed_at INTEGER;
