-- The pieces of a line that were given back at the channel after they had been sent; NULL: the channel does not tell.
ALTER TABLE lines ADD COLUMN returned TEXT;

-- What the merchant says of pieces given back: so many of the first so many had been sent before.
CREATE TABLE own_returns (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line_id TEXT NOT NULL,
  returned TEXT NOT NULL,
  of_given_back TEXT NOT NULL,
  PRIMARY KEY (order_id, line_id)
) STRICT, WITHOUT ROWID;
