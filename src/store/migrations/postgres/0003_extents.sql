-- Where a piece begins in what holds it: a part copied from a range of another object shares its blob.
ALTER TABLE extent ADD COLUMN start BIGINT NOT NULL DEFAULT 0;
