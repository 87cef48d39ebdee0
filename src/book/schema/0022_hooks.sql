-- Stores whose channel tells of changes by itself (Instasync).
CREATE TABLE hooks (
  store_id INTEGER PRIMARY KEY REFERENCES stores (id),
  address TEXT NOT NULL,                    -- the public address, before the path of the store
  since INTEGER NOT NULL,                   -- since when its deliveries are awaited
  checked_at INTEGER NOT NULL,              -- when its subscriptions were last looked at
  delivered_at INTEGER,                     -- when the last good delivery came
  delivered INTEGER NOT NULL DEFAULT 0,     -- how many good ones came
  refused INTEGER NOT NULL DEFAULT 0        -- how many were not the channel's
) STRICT;

-- What each delivery of the last days is known by: it may come again.
CREATE TABLE deliveries (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  key BLOB NOT NULL,                        -- a hash
  came_at INTEGER NOT NULL,
  PRIMARY KEY (store_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_came ON deliveries (came_at);

-- New orders that a sync has found and no delivery has told of yet.
CREATE TABLE unannounced (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,                  -- the channel's id
  found_at INTEGER NOT NULL,
  PRIMARY KEY (store_id, remote_id)
) STRICT, WITHOUT ROWID;
