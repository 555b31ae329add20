-- no-transaction
-- The nightly reminder job looks for open invoices by due date.
--
-- CONCURRENTLY does not hold up writers, and cannot run inside a transaction. If it fails it leaves
-- an invalid index behind: run its way back, then this file again. No lock_timeout here, and no IF
-- NOT EXISTS: the first would make that failure likely, the second would hide it.

CREATE INDEX CONCURRENTLY invoices_open_due_on_idx ON app.invoices (due_on) WHERE status = 'sent';
