-- Who may ask over HTTP. A key is long and random, so that its plain digest is as good as the key is.
create table app.api_keys (
    key_id text primary key,
    secret_hash bytea not null,
    name text not null,
    organization_id text,
    role text not null check (role in ('viewer', 'editor', 'admin', 'operator')),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    check ((role = 'operator') = (organization_id is null))
);
comment on table app.api_keys is 'One row per key: whose it is, what it may do, and until when; the key itself is kept nowhere.';
comment on column app.api_keys.organization_id is 'The organization whose rows it asks for; null for an operator''s, which asks for everybody''s.';
grant usage on schema app to api;
grant select, insert, update on app.api_keys to api;

-- What was changed, and who looked across organizations. It is only ever added to.
create table app.audit_log (
    audit_id bigint generated always as identity primary key,
    happened_at timestamptz not null default now(),
    actor text not null,
    action text not null,
    organization_id text,
    details jsonb not null default '{}',
    request_id text
);
comment on table app.audit_log is 'One row per change of who may do what, and per reading across organizations.';
create function app.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name;
end
$$;
create trigger only_added_to before update or delete or truncate on app.audit_log
for each statement execute function app.refuse_change();
grant select, insert on app.audit_log to api;
