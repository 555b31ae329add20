-- Customers can pay by direct debit.
--
-- In a file of its own: Postgres refuses to use a new enum value in the transaction that adds it.

ALTER TYPE app.payment_method ADD VALUE 'direct_debit' AFTER 'bank_transfer';
