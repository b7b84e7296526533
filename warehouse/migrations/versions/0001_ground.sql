-- Roles belong to the whole server, so another database of it may be creating the same ones right now.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['loader', 'transformer', 'analyst', 'api'] loop
        begin
            execute format('create role %I nologin', role_name);
        exception when duplicate_object or unique_violation then null;
        end;
        -- Since PostgreSQL 16 the creator of a role administers it, but may not act as it until granted to itself.
        if not pg_has_role(
            current_user, role_name,
            case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end
        ) then
            begin
                execute format('grant %I to current_user', role_name);
            exception when unique_violation then null;
            end;
        end if;
    end loop;
end
$$;

create schema if not exists app;
create schema if not exists dagster;
create schema if not exists staging authorization transformer;
create schema if not exists intermediate authorization transformer;
create schema if not exists marts authorization transformer;

create table ops.batches (
    batch_id bigint generated always as identity primary key,
    source text not null,
    table_name text not null,
    load_id text,
    landed_at timestamptz not null default now(),
    row_count bigint not null,
    quarantined_count bigint not null default 0,
    status text not null default 'landed' check (status in ('landed', 'admitted', 'refused')),
    checks jsonb not null default '[]',
    schema_version text,
    key_columns text[] not null default '{}',
    admission_seq bigint unique,
    unique (source, table_name, load_id),
    check ((status = 'admitted') = (admission_seq is not null))
);
comment on table ops.batches is 'One row per batch: one load of one table, and what was decided about it.';
comment on column ops.batches.load_id is 'dlt load id of its rows in raw_<source>; null when nothing could be landed.';
comment on column ops.batches.row_count is 'All input rows of the batch, lines that could not be read included.';
comment on column ops.batches.admission_seq is 'Increases with every admission; readers ask for what is above theirs.';

create sequence ops.admission_seq owned by ops.batches.admission_seq;

create table ops.files (
    file_id bigint generated always as identity primary key,
    batch_id bigint not null references ops.batches (batch_id),
    path text not null,
    size_bytes bigint not null,
    modified_at timestamptz not null,
    content_hash text not null,
    row_count bigint not null,
    first_row_number bigint,
    columns text[] not null default '{}'
);
comment on table ops.files is 'One row per file and batch: which files a batch stands on.';
create index files_by_path on ops.files (path);
create index files_by_batch on ops.files (batch_id);

create table ops.quarantine (
    batch_id bigint not null references ops.batches (batch_id),
    row_id bigint not null,
    payload jsonb not null,
    failed_rules text[] not null,
    quarantined_at timestamptz not null default now(),
    resolved_by_batch_id bigint references ops.batches (batch_id),
    primary key (batch_id, row_id)
);
-- Each answer asks what was put back since; nearly nothing ever is.
create index quarantine_resolved on ops.quarantine (resolved_by_batch_id) where resolved_by_batch_id is not null;
comment on table ops.quarantine is 'One row per row that was set aside: what it said, and which rules it broke.';

create table ops.snapshots (
    snapshot_id bigint generated always as identity primary key,
    published_at timestamptz not null default now(),
    tables jsonb not null,
    admission_seq bigint not null,
    checks jsonb not null,
    definition_version text not null,
    fingerprint text not null
);
comment on table ops.snapshots is 'One row per published state of the metric store: a version of every table.';

-- What a date, a moment, a number, a truth value and a document are is said once, here: quality refuses what
-- these functions cannot read, staging reads with the same functions. None of them raises an error.
-- They have no exception blocks: before PostgreSQL 17 a parallel query dies of one.
create function ops.real_date(year int, month int, day int) returns date
language sql immutable parallel safe as $$
    select case
        when year >= 1 and month between 1 and 12 and day between 1 and case
            when month = 2 and year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then 29
            when month = 2 then 28
            when month in (4, 6, 9, 11) then 30
            else 31
        end then make_date(year, month, day)
    end
$$;

create function ops.parse_date(value text) returns date
language plpgsql immutable strict parallel safe as $$
declare
    said text := trim(value);
begin
    if said ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)?)?$' then
        return ops.real_date(substr(said, 1, 4)::int, substr(said, 6, 2)::int, substr(said, 9, 2)::int);
    elsif said ~ '^\d\d-\d\d-\d{4}$' then
        return ops.real_date(substr(said, 7, 4)::int, substr(said, 4, 2)::int, substr(said, 1, 2)::int);
    end if;
    return null;
end
$$;

create function ops.parse_timestamp(value text) returns timestamptz
language plpgsql immutable strict parallel safe as $$
declare
    said text := trim(value);
begin
    if said ~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)? ?(Z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?)?)?$' then
        if substr(said, 9, 2) > '28' and ops.real_date(substr(said, 1, 4)::int, substr(said, 6, 2)::int, substr(said, 9, 2)::int) is null then
            return null;
        end if;
        -- A moment without a zone is UTC, whatever the session's own zone.
        if said ~ '(Z|UTC|:\d\d(\.\d+)? ?[+-]\d\d(:?\d\d)?)$' then
            return said::timestamptz;
        end if;
        return said::timestamp at time zone 'UTC';
    elsif said ~ '^\d\d-\d\d-\d{4}( ([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?$' then
        return (
            ops.real_date(substr(said, 7, 4)::int, substr(said, 4, 2)::int, substr(said, 1, 2)::int)
            + coalesce(nullif(substr(said, 12), '')::time, time '00:00')
        ) at time zone 'UTC';
    end if;
    return null;
end
$$;

-- A number that takes more than a hundred characters is a mistake, whatever it says.
create function ops.parse_number(value text) returns numeric
language sql immutable parallel safe as $$
    select case
        when length(value) <= 100 and trim(value) ~ '^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$'
            then trim(value)::numeric
    end
$$;

create function ops.parse_boolean(value text) returns boolean
language sql immutable parallel safe as $$
    select case
        when lower(trim(value)) in ('true', 't', 'yes', 'y', '1') then true
        when lower(trim(value)) in ('false', 'f', 'no', 'n', '0') then false
    end
$$;

-- PostgreSQL 15 has no `is json`, so the parser itself is asked, outside of parallel workers.
create function ops.is_json(value text) returns boolean
language plpgsql immutable strict parallel restricted as $$
begin
    perform value::json;
    return true;
exception when invalid_text_representation or invalid_parameter_value or statement_too_complex then
    return false;
end
$$;

grant usage on schema ops to loader, transformer, api;
grant select on ops.batches, ops.quarantine to transformer;
grant select on all tables in schema ops to api;

alter default privileges for role loader grant usage on schemas to transformer;
alter default privileges for role loader grant select on tables to transformer;

grant usage on schema marts to analyst, api;
alter default privileges for role transformer in schema marts grant select on tables to analyst, api;
