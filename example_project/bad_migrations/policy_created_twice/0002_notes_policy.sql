-- Wrong: 0001 has created this policy already, and there is no CREATE OR REPLACE POLICY (42710).

SET LOCAL lock_timeout = '2s';

CREATE POLICY notes_owner ON notes USING (owner_name = current_user) WITH CHECK (owner_name = current_user);
