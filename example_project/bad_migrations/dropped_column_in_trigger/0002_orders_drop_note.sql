-- Nobody writes notes any more.
ALTER TABLE orders DROP COLUMN note;
