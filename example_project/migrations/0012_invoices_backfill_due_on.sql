-- no-transaction
-- Invoices get a due date, step 2 of 5: fill in the invoices that were there before.
--
-- A thousand rows a transaction, so that no row stays locked for long, and vacuum can follow.
-- Interrupted, it can simply be run again. Outside a transaction because of its own COMMIT.

DO $$
DECLARE
    batch_start bigint := (SELECT min(i.id) - 1 FROM app.invoices AS i);
    batch_end bigint;
BEGIN
    LOOP
        SELECT max(batch.id) INTO batch_end
        FROM (SELECT i.id FROM app.invoices AS i WHERE i.id > batch_start ORDER BY i.id LIMIT 1000) AS batch;
        EXIT WHEN batch_end IS NULL;

        UPDATE app.invoices
        SET due_on = COALESCE(issued_on, (created_at AT TIME ZONE 'UTC')::date) + 30
        WHERE id > batch_start AND id <= batch_end AND due_on IS NULL;
        COMMIT;

        batch_start := batch_end;
    END LOOP;
END
$$;
