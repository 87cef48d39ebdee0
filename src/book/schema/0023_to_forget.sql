-- People whom a channel has erased and wants forgotten, until all of their orders here are.
CREATE TABLE to_forget (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  person TEXT NOT NULL,                     -- the channel's own number of the customer
  told_at INTEGER NOT NULL,
  PRIMARY KEY (store_id, person)
) STRICT, WITHOUT ROWID;
