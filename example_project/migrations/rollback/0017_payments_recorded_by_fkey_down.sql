-- Drop the foreign key; this locks users, too.

SET LOCAL lock_timeout = '2s';

ALTER TABLE app.payments DROP CONSTRAINT payments_recorded_by_fkey;
