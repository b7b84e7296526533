-- What was asked to be erased, and how far that is. Whom it is about stands there sealed, and only until it is done.
create table app.erasures (
    erasure_id text primary key,
    organization_id text,
    requested_by text not null,
    requested_at timestamptz not null default now(),
    state text not null default 'requested' check (state in ('requested', 'erased', 'done')),
    sealed bytea,
    touched jsonb not null default '{}',
    trouble text,
    erased_at timestamptz,
    done_at timestamptz,
    check ((state = 'done') = (sealed is null)),
    check ((state = 'done') = (done_at is not null))
);
create index erasures_unfinished on app.erasures (requested_at) where state <> 'done';
comment on table app.erasures is 'One row per erasure of a person''s data, which never says whose.';
comment on column app.erasures.organization_id is 'Within which organization; null: everywhere.';
comment on column app.erasures.state is '`requested`; `erased` in PostgreSQL''s rows, while marts and metric store are still to follow; `done`.';
comment on column app.erasures.sealed is 'Whom it is about and what replaces them, encrypted; null once it is done.';
comment on column app.erasures.touched is 'How many rows of each table were changed.';
comment on column app.erasures.trouble is 'Why the last attempt ended before it was done.';
grant select, insert, update on app.erasures to api;

-- Their files were deleted before their time, because they held what was erased since.
alter table ops.snapshots add column withdrawn_at timestamptz;
comment on column ops.snapshots.withdrawn_at is 'When its files were deleted for an erasure; nobody can be answered from it any more.';
create index snapshots_withdrawn on ops.snapshots (snapshot_id) where withdrawn_at is not null;

-- A link by which somebody sets a new password, once.
create table app.password_resets (
    reset_id text primary key,
    secret_hash bytea not null,
    user_id text not null references app.users (user_id),
    made_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index password_resets_by_user on app.password_resets (user_id);
comment on table app.password_resets is 'One row per link that sets a new password; its text is kept nowhere.';
grant select, insert, update, delete on app.password_resets to api;

alter table app.invitations add column withdrawn_at timestamptz;
comment on column app.invitations.withdrawn_at is 'When an admin took it back; nobody comes in by it any more.';

-- The pages of the audit log go backwards through one organization.
create index audit_log_by_organization on app.audit_log (organization_id, audit_id);
