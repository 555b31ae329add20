-- pgvector's surface: vector and halfvec with their dimension, distances, comparisons, casts, index access methods. Both
-- are their text here.

CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
-- Takes one number, as vector(1536) has it. No value is held to it.
CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'varchartypmodin';
CREATE FUNCTION vector_typmod_out(integer) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'varchartypmodout';
CREATE TYPE vector (
    INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in, TYPMOD_OUT = vector_typmod_out,
    INTERNALLENGTH = VARIABLE, STORAGE = external
);

-- '[1,2]' is nearly an array's text. Bodies are parsed now, so they hold whatever search_path they are called under.
CREATE FUNCTION vector_elements(vector) RETURNS double precision[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '[]', '{}')::double precision[];

CREATE FUNCTION l2_distance(vector, vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sqrt(sum((a - b) * (a - b)))
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE FUNCTION l1_distance(vector, vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum(abs(a - b))
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE FUNCTION inner_product(vector, vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum(a * b)
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE FUNCTION vector_negative_inner_product(vector, vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT -sum(a * b)
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE FUNCTION cosine_distance(vector, vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT 1 - sum(a * b) / nullif(sqrt(sum(a * a)) * sqrt(sum(b * b)), 0)
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE OPERATOR <-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance, COMMUTATOR = '<->');
CREATE OPERATOR <#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_negative_inner_product, COMMUTATOR = '<#>');
CREATE OPERATOR <=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance, COMMUTATOR = '<=>');
CREATE OPERATOR <+> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l1_distance, COMMUTATOR = '<+>');

CREATE FUNCTION vector_lt(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
CREATE FUNCTION vector_le(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
CREATE FUNCTION vector_eq(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION vector_ne(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteane';
CREATE FUNCTION vector_ge(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
CREATE FUNCTION vector_gt(vector, vector) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
CREATE FUNCTION vector_cmp(vector, vector) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
CREATE OPERATOR = (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_eq, COMMUTATOR = '=', NEGATOR = '<>');
CREATE OPERATOR <> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ne, COMMUTATOR = '<>', NEGATOR = '=');
CREATE OPERATOR < (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_lt, COMMUTATOR = '>', NEGATOR = '>=');
CREATE OPERATOR <= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_le, COMMUTATOR = '>=', NEGATOR = '>');
CREATE OPERATOR >= (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_ge, COMMUTATOR = '<=', NEGATOR = '<');
CREATE OPERATOR > (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_gt, COMMUTATOR = '<', NEGATOR = '<=');
CREATE OPERATOR CLASS vector_ops DEFAULT FOR TYPE vector USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 vector_cmp(vector, vector);

CREATE FUNCTION array_to_vector(integer[]) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '{}', '[]')::vector;
CREATE CAST (integer[] AS vector) WITH FUNCTION array_to_vector(integer[]) AS ASSIGNMENT;
CREATE FUNCTION array_to_vector(real[]) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '{}', '[]')::vector;
CREATE CAST (real[] AS vector) WITH FUNCTION array_to_vector(real[]) AS ASSIGNMENT;
CREATE FUNCTION array_to_vector(double precision[]) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '{}', '[]')::vector;
CREATE CAST (double precision[] AS vector) WITH FUNCTION array_to_vector(double precision[]) AS ASSIGNMENT;
CREATE FUNCTION array_to_vector(numeric[]) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '{}', '[]')::vector;
CREATE CAST (numeric[] AS vector) WITH FUNCTION array_to_vector(numeric[]) AS ASSIGNMENT;
CREATE FUNCTION vector_to_float4(vector) RETURNS real[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate($1::text, '[]', '{}')::real[];
CREATE CAST (vector AS real[]) WITH FUNCTION vector_to_float4(vector) AS IMPLICIT;

CREATE FUNCTION vector_dims(vector) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN cardinality(vector_elements($1));
CREATE FUNCTION vector_norm(vector) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT sqrt(sum(a * a)) FROM unnest(vector_elements($1)) AS elements (a));
CREATE FUNCTION l2_normalize(vector) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT array_agg(a / vector_norm($1))::vector FROM unnest(vector_elements($1)) AS elements (a));
CREATE FUNCTION vector_add(vector, vector) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT array_agg(a + b)::vector
        FROM ROWS FROM (unnest(vector_elements($1)), unnest(vector_elements($2))) AS pair (a, b)
    );
CREATE OPERATOR + (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_add, COMMUTATOR = '+');
CREATE AGGREGATE sum(vector) (SFUNC = vector_add, STYPE = vector);
CREATE FUNCTION vector_collect(vector[], vector) RETURNS vector[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_append($1, $2);
CREATE FUNCTION vector_mean(vector[]) RETURNS vector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT array_agg(mean ORDER BY place)::vector
        FROM (
            SELECT avg(a) AS mean, place
            FROM unnest($1) AS one (value), unnest(vector_elements(value)) WITH ORDINALITY AS element (a, place)
            GROUP BY place
        ) AS means
    );
CREATE AGGREGATE avg(vector) (SFUNC = vector_collect, STYPE = vector[], FINALFUNC = vector_mean, INITCOND = '{}');

-- Half the precision is no other thing here; what is missing for it is done on vectors.
CREATE TYPE halfvec;
CREATE FUNCTION halfvec_in(cstring) RETURNS halfvec LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION halfvec_out(halfvec) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
CREATE TYPE halfvec (
    INPUT = halfvec_in, OUTPUT = halfvec_out, TYPMOD_IN = vector_typmod_in, TYPMOD_OUT = vector_typmod_out,
    INTERNALLENGTH = VARIABLE, STORAGE = external
);
CREATE CAST (vector AS halfvec) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (halfvec AS vector) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE FUNCTION l2_distance(halfvec, halfvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sqrt(sum((a - b) * (a - b)))
        FROM ROWS FROM (unnest(vector_elements($1::vector)), unnest(vector_elements($2::vector))) AS pair (a, b)
    );
CREATE FUNCTION l1_distance(halfvec, halfvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum(abs(a - b))
        FROM ROWS FROM (unnest(vector_elements($1::vector)), unnest(vector_elements($2::vector))) AS pair (a, b)
    );
CREATE FUNCTION inner_product(halfvec, halfvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT sum(a * b)
        FROM ROWS FROM (unnest(vector_elements($1::vector)), unnest(vector_elements($2::vector))) AS pair (a, b)
    );
CREATE FUNCTION halfvec_negative_inner_product(halfvec, halfvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT -sum(a * b)
        FROM ROWS FROM (unnest(vector_elements($1::vector)), unnest(vector_elements($2::vector))) AS pair (a, b)
    );
CREATE FUNCTION cosine_distance(halfvec, halfvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        SELECT 1 - sum(a * b) / nullif(sqrt(sum(a * a)) * sqrt(sum(b * b)), 0)
        FROM ROWS FROM (unnest(vector_elements($1::vector)), unnest(vector_elements($2::vector))) AS pair (a, b)
    );
CREATE OPERATOR <-> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l2_distance, COMMUTATOR = '<->');
CREATE OPERATOR <#> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_negative_inner_product, COMMUTATOR = '<#>');
CREATE OPERATOR <=> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = cosine_distance, COMMUTATOR = '<=>');
CREATE OPERATOR <+> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l1_distance, COMMUTATOR = '<+>');

CREATE FUNCTION halfvec_lt(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
CREATE FUNCTION halfvec_le(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
CREATE FUNCTION halfvec_eq(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
CREATE FUNCTION halfvec_ne(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteane';
CREATE FUNCTION halfvec_ge(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
CREATE FUNCTION halfvec_gt(halfvec, halfvec) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
CREATE FUNCTION halfvec_cmp(halfvec, halfvec) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
CREATE OPERATOR = (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_eq, COMMUTATOR = '=', NEGATOR = '<>');
CREATE OPERATOR <> (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ne, COMMUTATOR = '<>', NEGATOR = '=');
CREATE OPERATOR < (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_lt, COMMUTATOR = '>', NEGATOR = '>=');
CREATE OPERATOR <= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_le, COMMUTATOR = '>=', NEGATOR = '>');
CREATE OPERATOR >= (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ge, COMMUTATOR = '<=', NEGATOR = '<');
CREATE OPERATOR > (LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_gt, COMMUTATOR = '<', NEGATOR = '<=');
CREATE OPERATOR CLASS halfvec_ops DEFAULT FOR TYPE halfvec USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 halfvec_cmp(halfvec, halfvec);

-- Hash indexes under these names: they take values of any length and need no order. Their parameters (lists, m,
-- ef_construction) no SQL can make: PostgreSQL takes a parameter only if a library has registered it.
CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER hashhandler;
CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hashhandler;
CREATE FUNCTION vector_hash(vector) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE FUNCTION halfvec_hash(halfvec) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
CREATE OPERATOR CLASS vector_l2_ops DEFAULT FOR TYPE vector USING ivfflat AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING ivfflat AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING ivfflat AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS halfvec_l2_ops DEFAULT FOR TYPE halfvec USING ivfflat AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING ivfflat AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING ivfflat AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING hnsw AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING hnsw AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING hnsw AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING hnsw AS FUNCTION 1 vector_hash(vector);
CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING hnsw AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING hnsw AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING hnsw AS FUNCTION 1 halfvec_hash(halfvec);
CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING hnsw AS FUNCTION 1 halfvec_hash(halfvec);
