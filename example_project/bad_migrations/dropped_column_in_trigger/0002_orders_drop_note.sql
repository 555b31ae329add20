-- Nobody writes notes any more.
SET LOCAL lock_timeout = '2s';

-- migsafe: allow column-removed, column-dropped because no version since 41 uses notes, and nobody wants to keep them
ALTER TABLE orders DROP COLUMN note;
