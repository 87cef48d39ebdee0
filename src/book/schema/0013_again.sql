-- What a dispatch was recorded to go out in spite of: the same having gone out, or the same sale having come to an end in another store.
ALTER TABLE outbox ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
