-- Orders to be read again later, each by itself: what the channel could not show when it was met.
CREATE TABLE rereads (
  store_id INTEGER NOT NULL REFERENCES stores (id),
  remote_id TEXT NOT NULL,                  -- the channel's id
  due_at INTEGER NOT NULL,                  -- not before
  why TEXT NOT NULL,                        -- unshown
  tries INTEGER NOT NULL DEFAULT 0,         -- how often it was met or asked for in vain
  PRIMARY KEY (store_id, remote_id)
) STRICT, WITHOUT ROWID;
