-- Fields that the merchant has accepted of newer versions while others still differ: the version that was last imported or accepted as a whole
-- (`versions`, base), with these fields of those, is what the merchant goes by. Gone once a version is accepted as a whole.
CREATE TABLE accepted_versions (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  updated_at INTEGER NOT NULL,
  codec INTEGER NOT NULL,                   -- as in `versions`
  document BLOB NOT NULL
) STRICT;
-- Import and `accept`: what of an order is accepted field by field.
CREATE INDEX accepted_versions_by_order ON accepted_versions (order_id);

CREATE TABLE accepted (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  field TEXT NOT NULL,
  version_id INTEGER NOT NULL REFERENCES accepted_versions (id),
  PRIMARY KEY (order_id, field)
) STRICT, WITHOUT ROWID;
-- The fields of a version, and a version that goes.
CREATE INDEX accepted_by_version ON accepted (version_id);
