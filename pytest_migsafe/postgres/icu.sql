-- Whether the server is built with ICU: then initdb makes a collation of every locale that it has (manual: "Predefined
-- Collations"). `unicode`, of ICU as well, is in the catalogue of every server from 16 on.
SELECT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i' AND collname LIKE '%-x-icu')
