-- Wrong: 0002 has added phone already (42701).

SET LOCAL lock_timeout = '2s';

ALTER TABLE customers ADD COLUMN fax text;
ALTER TABLE customers ADD COLUMN phone text;
