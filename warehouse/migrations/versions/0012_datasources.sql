-- Sources that organizations add over HTTP; whoever lands reads them beside those of sources.yaml.
create table app.datasources (
    datasource_id text primary key,
    organization_id text not null,
    name text not null,
    kind text not null check (kind in ('database', 'files', 'rest')),
    configuration jsonb not null,
    secrets_encrypted bytea,
    is_uploaded boolean not null default false,
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index datasources_by_organization on app.datasources (organization_id) where deleted_at is null;
comment on table app.datasources is 'One row per source that an organization has added; it lands in the schema raw_<datasource_id>.';
comment on column app.datasources.configuration is 'As a source of sources.yaml has it, with *** in the place of every secret.';
comment on column app.datasources.secrets_encrypted is 'What stands in those places, encrypted; null once the source is deleted.';
comment on column app.datasources.is_uploaded is 'Whether its files were uploaded, so that they lie in the home folder.';

create table app.jobs (
    job_id text primary key,
    organization_id text not null,
    datasource_id text not null references app.datasources (datasource_id),
    what text not null check (what in ('check', 'discover', 'sync')),
    status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed')),
    result jsonb,
    requested_by text not null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz
);
create index jobs_by_datasource on app.jobs (datasource_id, created_at);
-- What waits already need not wait twice.
create unique index jobs_that_wait on app.jobs (datasource_id, what) where status = 'queued';
comment on table app.jobs is 'One row per job on a datasource: that it be checked, looked into, or landed.';
comment on column app.jobs.result is 'What came of it, or `detail` and `hint` of why nothing did.';

grant select, insert, update on app.datasources, app.jobs to api;
grant select on app.datasources to loader;
