-- Drop the account tables; their indexes, triggers, policies and grants go with them.
-- The policy on organisations reads memberships, so it has to go first.

SET LOCAL lock_timeout = '2s';

DROP POLICY organisations_members ON app.organisations;
DROP TABLE app.memberships;
DROP TABLE app.organisations;
DROP TABLE app.users;
