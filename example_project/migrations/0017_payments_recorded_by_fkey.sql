-- Payments name the user who entered them, step 1 of 2: the foreign key that 0008 left out.
--
-- Both tables are locked against writers, for a moment: NOT VALID reads neither.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.payments
    ADD CONSTRAINT payments_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES app.users (id) NOT VALID;
