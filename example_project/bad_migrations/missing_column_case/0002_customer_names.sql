-- Wrong: firstName without quotes means firstname, and the column is "firstName" (42703).

CREATE VIEW customer_names AS
SELECT id, firstName || ' ' || "lastName" AS full_name
FROM customers;
