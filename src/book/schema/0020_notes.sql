-- What a run has told the merchant of a store, as a list of texts.
ALTER TABLE run_stores ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
