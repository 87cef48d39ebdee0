-- Public addresses that stores were subscribed to before: deliveries that failed there are sent there
-- again.
CREATE TABLE former_addresses (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  address TEXT NOT NULL,                    -- before the path of the store
  left_at INTEGER,                          -- since when nothing is subscribed to it any more
  PRIMARY KEY (store_id, address)
) STRICT, WITHOUT ROWID;
