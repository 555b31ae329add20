-- Payments name the user who entered them, step 2 of 2: check the payments that were there before.
--
-- Reads both tables, while everybody can read and write them.

ALTER TABLE app.payments VALIDATE CONSTRAINT payments_recorded_by_fkey;
