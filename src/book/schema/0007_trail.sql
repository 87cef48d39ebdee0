-- Who did it: channel, merchant, policy (what the store is set to do with changes) or program; NULL in what was noted before this step. And in
-- which run, where it was in one: `runs` itself is forgotten after some months.
ALTER TABLE history ADD COLUMN who TEXT;
ALTER TABLE history ADD COLUMN run INTEGER;

DROP VIEW v_history;
CREATE VIEW v_history AS
  SELECT h.order_id, s.name AS store, o.number, strftime('%Y-%m-%dT%H:%M:%SZ', h.at / 1000, 'unixepoch') AS at, h.what, h.detail,
    coalesce(h.who, 'unknown') AS who, h.run
  FROM history h JOIN orders o ON o.id = h.order_id JOIN stores s ON s.id = o.store_id;
