-- Who belongs where. The rows of an organization are found by its id, so that an id is never a newcomer's choice.
create table app.organizations (
    organization_id text primary key,
    name text not null,
    plan text not null default 'standard',
    created_at timestamptz not null default now()
);
comment on table app.organizations is 'One row per organization that has, or had, members; others may have rows and keys without one.';
comment on column app.organizations.organization_id is 'As the marts have it.';

create table app.users (
    user_id text primary key,
    email text not null check (email = lower(email)),
    email_verified_at timestamptz,
    name text not null default '',
    password_hash text,
    is_operator boolean not null default false,
    totp_secret bytea,
    totp_confirmed_at timestamptz,
    totp_last_step bigint,
    oidc_issuer text,
    oidc_subject text,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    unique (oidc_issuer, oidc_subject),
    check ((oidc_issuer is null) = (oidc_subject is null)),
    check (totp_confirmed_at is null or totp_secret is not null)
);
create unique index users_by_email on app.users (lower(email));
comment on table app.users is 'One row per person who logs in.';
comment on column app.users.email_verified_at is 'When somebody vouched for it: an operator, an invitation to it, an OpenID Connect provider. Null: it is what a newcomer said.';
comment on column app.users.password_hash is 'argon2id; null for those who log in by OpenID Connect alone.';
comment on column app.users.totp_secret is 'The secret of the second factor, encrypted; it counts once it is confirmed.';
comment on column app.users.totp_last_step is 'The half minute whose code was used last: no code of it, or of one before, is taken again.';

create table app.recovery_codes (
    user_id text not null references app.users (user_id),
    code_hash bytea not null,
    used_at timestamptz,
    primary key (user_id, code_hash)
);
comment on table app.recovery_codes is 'One row per code that stands in for a lost second factor, once.';

create table app.memberships (
    user_id text not null references app.users (user_id),
    organization_id text not null references app.organizations (organization_id),
    role text not null check (role in ('viewer', 'editor', 'admin')),
    created_at timestamptz not null default now(),
    primary key (user_id, organization_id)
);
create index memberships_by_organization on app.memberships (organization_id);
comment on table app.memberships is 'One row per user and organization: what they are in it.';

create table app.invitations (
    invitation_id text primary key,
    secret_hash bytea not null,
    organization_id text not null references app.organizations (organization_id),
    email text not null check (email = lower(email)),
    role text not null check (role in ('viewer', 'editor', 'admin')),
    invited_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz
);
create index invitations_by_organization on app.invitations (organization_id);
comment on table app.invitations is 'One row per invitation of an e-mail address into an organization; its text is kept nowhere.';

create table app.sessions (
    session_id text primary key,
    user_id text not null references app.users (user_id),
    organization_id text references app.organizations (organization_id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index sessions_by_user on app.sessions (user_id);
comment on table app.sessions is 'One row per login: the family that its refresh tokens are of, which ends as a whole.';
comment on column app.sessions.organization_id is 'Where they logged in; null: an operator, across organizations.';

create table app.refresh_tokens (
    token_id text primary key,
    session_id text not null references app.sessions (session_id) on delete cascade,
    secret_hash bytea not null,
    created_at timestamptz not null default now(),
    used_at timestamptz
);
create index refresh_tokens_by_session on app.refresh_tokens (session_id);
comment on table app.refresh_tokens is 'One row per refresh token; each is used once, for the next one.';

alter table app.api_keys add column scopes text[];
comment on column app.api_keys.scopes is 'Which of its role''s permissions it carries; null: all of them.';

grant select, insert, update on app.organizations, app.users, app.recovery_codes, app.memberships, app.invitations,
app.sessions, app.refresh_tokens to api;
grant delete on app.recovery_codes, app.memberships, app.sessions, app.refresh_tokens to api;
