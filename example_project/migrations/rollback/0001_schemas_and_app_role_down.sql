-- Take the schemas away again. No CASCADE: whatever is still in them was not made by 0001.
--
-- app_user stays. The role belongs to the cluster, and another database may grant to it.

DROP SCHEMA audit;
DROP SCHEMA app;
