-- Versions that can be told apart, and served as they were.

-- Id of the present content; empty when it was written while no versions were kept.
ALTER TABLE node ADD COLUMN version TEXT NOT NULL DEFAULT '';

ALTER TABLE version ADD COLUMN mime TEXT NOT NULL DEFAULT '';
-- JSON object, or empty
ALTER TABLE version ADD COLUMN attributes TEXT NOT NULL DEFAULT '';
-- Written while no versions were kept
ALTER TABLE version ADD COLUMN unversioned INTEGER NOT NULL DEFAULT 0;
-- A removal
ALTER TABLE version ADD COLUMN marker INTEGER NOT NULL DEFAULT 0;
