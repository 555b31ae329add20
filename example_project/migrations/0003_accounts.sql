-- Users, organisations, and who belongs to which.
--
-- One file, because memberships references both others: foreign keys to tables made in the same
-- transaction lock nothing that anybody else can see.

CREATE TABLE app.users (
    id bigint GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    full_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE app.users IS 'People who can sign in';
CREATE UNIQUE INDEX users_email_key ON app.users (lower(email));

CREATE TABLE app.organisations (
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    currency app.currency_code NOT NULL DEFAULT 'EUR',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organisations_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE app.organisations IS 'Our customers; each sends invoices of its own';

CREATE TABLE app.memberships (
    organisation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_admin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memberships_pkey PRIMARY KEY (organisation_id, user_id),
    CONSTRAINT memberships_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES app.organisations (id),
    CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users (id)
);
COMMENT ON TABLE app.memberships IS 'Which user may act for which organisation';
CREATE INDEX memberships_user_id_idx ON app.memberships (user_id);

CREATE TRIGGER users_touch_updated_at
    BEFORE UPDATE ON app.users
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();
CREATE TRIGGER organisations_touch_updated_at
    BEFORE UPDATE ON app.organisations
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();
CREATE TRIGGER memberships_touch_updated_at
    BEFORE UPDATE ON app.memberships
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

-- Every policy asks through a sub-select, so that the function runs once a query and not once a row.
ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY users_self ON app.users
    TO app_user
    USING (id = (SELECT app.current_user_id()));

ALTER TABLE app.memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY memberships_own ON app.memberships
    FOR SELECT TO app_user
    USING (user_id = (SELECT app.current_user_id()));

ALTER TABLE app.organisations ENABLE ROW LEVEL SECURITY;
CREATE POLICY organisations_members ON app.organisations
    TO app_user
    USING (id IN (
        SELECT m.organisation_id FROM app.memberships AS m WHERE m.user_id = (SELECT app.current_user_id())
    ));

GRANT SELECT, UPDATE ON app.users TO app_user;
GRANT SELECT, UPDATE ON app.organisations TO app_user;
GRANT SELECT ON app.memberships TO app_user;
