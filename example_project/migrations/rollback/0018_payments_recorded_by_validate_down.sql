-- There is no "unvalidate": make the foreign key anew, as 0017 left it.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.payments DROP CONSTRAINT payments_recorded_by_fkey;
ALTER TABLE app.payments
    ADD CONSTRAINT payments_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES app.users (id) NOT VALID;
