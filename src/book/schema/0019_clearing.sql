-- Why the last sync did not clear what it should have, and since when, if it did not.
ALTER TABLE wiping ADD COLUMN failure TEXT;
ALTER TABLE wiping ADD COLUMN failed_at INTEGER;

-- The file is wiped in a circle: the page at which the last clearing fell, and whether the end of the
-- file was passed since.
ALTER TABLE wiping ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE wiping ADD COLUMN is_past_end INTEGER NOT NULL DEFAULT 0;

-- Documents of orders that could not be read go with their entries.
UPDATE wiping SET page = 0 WHERE EXISTS (SELECT 1 FROM inbox WHERE resolved_at IS NOT NULL AND document IS NOT NULL);
UPDATE inbox SET document = NULL WHERE resolved_at IS NOT NULL AND document IS NOT NULL;
