-- What the merchant has edited in an order: it lies over what the channel says there, and stays whatever becomes of that. The copy (`addresses`,
-- `orders.buyer_note`) has the merchant's value.
CREATE TABLE edits (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  field TEXT NOT NULL,                      -- address or notes
  position INTEGER NOT NULL,                -- which of the delivery addresses; 0 for notes
  value TEXT NOT NULL,                      -- JSON: the merchant's
  channels TEXT,                            -- JSON: what would stand there without; NULL: nothing
  edited_at INTEGER NOT NULL,
  PRIMARY KEY (order_id, field, position)
) STRICT, WITHOUT ROWID;
