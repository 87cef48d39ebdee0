-- What the channels permit has limits, one for each kind of request at some: how they stand, as the answers told them and requests
-- used them since. The process that calls a store next begins with it.
CREATE TABLE lanes (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  lane TEXT NOT NULL,
  -- JSON.
  standing TEXT NOT NULL,
  PRIMARY KEY (store_id, lane)
) WITHOUT ROWID, STRICT;
