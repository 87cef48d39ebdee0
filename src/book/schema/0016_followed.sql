-- Whether the order has followed the channel in this field under an edit of the merchant's: the version that the field is of is the one that the
-- merchant has seen, and the newest one is to be looked at before anything goes out.
ALTER TABLE accepted ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
