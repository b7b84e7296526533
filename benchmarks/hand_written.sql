-- What an engineer would write by hand for the actions of the star: the same tables, keys, indexes and partitions, from the
-- same admitted rows, without dbt, tests, documentation or security. `benchmarks.warehouse` runs it beside the build.

-- name: first
create schema hand;

create unlogged table hand.arrived as
select distinct on (id)
    id as user_action_id, organization_id, md5(organization_id || chr(31) || user_id) as user_key, user_id,
    coalesce(login, user_id) as user_login, action_type, repository_name,
    cast(acted_at at time zone 'UTC' as date) as action_date, acted_at, admission_seq
from (
    select
        trim(events.id) as id,
        coalesce(
            cast(org as json) ->> 'login', nullif(split_part(cast(repo as json) ->> 'name', '/', 1), ''), '(unknown)'
        ) as organization_id,
        coalesce(cast(actor as json) ->> 'id', cast(actor as json) ->> 'login', '(unknown)') as user_id,
        cast(actor as json) ->> 'login' as login,
        coalesce(nullif(trim(type), ''), '(unknown)') as action_type,
        cast(repo as json) ->> 'name' as repository_name,
        ops.parse_timestamp(created_at) as acted_at,
        batches.admission_seq,
        events._row_number
    from raw_github.events as events
    inner join ops.batches as batches on events._dlt_load_id = batches.load_id and batches.status = 'admitted'
    where not exists (
        select from ops.quarantine
        where quarantine.batch_id = batches.batch_id and quarantine.row_id = events._row_number
    )
) as events
order by id, admission_seq desc, _row_number desc;

create table hand.dim_users as
select distinct on (user_key) user_key, organization_id, user_id, user_login as login, admission_seq
from (
    select user_key, organization_id, user_id, user_login, max(acted_at) as acted_at, max(admission_seq) as admission_seq
    from hand.arrived group by user_key, organization_id, user_id, user_login
) as names
order by user_key, admission_seq desc, acted_at desc, user_login desc;
alter table hand.dim_users add primary key (user_key);
create index on hand.dim_users (organization_id);

create table hand.dim_action_types as
select
    md5(organization_id || chr(31) || action_type) as action_type_key, organization_id, action_type as action_type_id,
    replace(action_type, 'Event', '') as name
from (select distinct organization_id, action_type from hand.arrived) as types;
alter table hand.dim_action_types add primary key (action_type_key);

create table hand.dim_organizations as
select md5(organization_id) as organization_key, organization_id from (select distinct organization_id from hand.arrived) as found;
alter table hand.dim_organizations add primary key (organization_key);

create table hand.fact_user_actions (
    user_action_id text not null, source_name text not null, organization_key text not null,
    organization_id text not null, user_key text not null, user_id text not null, action_type_key text not null,
    action_type text not null, repository_name text, dashboard_key text, feature text, object_name text,
    action_date date not null, acted_at timestamptz not null, admission_seq bigint not null
) partition by range (action_date);
create table hand.fact_sessions (
    session_id text not null, organization_key text not null, organization_id text not null, user_key text not null,
    session_date date not null, started_at timestamptz not null, ended_at timestamptz not null,
    duration_seconds bigint not null, action_count bigint not null, action_type_count bigint not null,
    admission_seq bigint not null
) partition by range (session_date);
do $$
declare
    month date;
begin
    for month in select generate_series(date '2022-12-01', date '2025-02-01', interval '1 month') loop
        execute format(
            'create table hand.actions_%s partition of hand.fact_user_actions for values from (%L) to (%L)',
            to_char(month, 'YYYY_MM'), month, (month + interval '1 month')::date
        );
        execute format(
            'create table hand.sessions_%s partition of hand.fact_sessions for values from (%L) to (%L)',
            to_char(month, 'YYYY_MM'), month, (month + interval '1 month')::date
        );
    end loop;
end
$$;

insert into hand.fact_user_actions
select
    user_action_id, 'github', md5(organization_id), organization_id, user_key, user_id,
    md5(organization_id || chr(31) || action_type), action_type, repository_name, null, null, null, action_date, acted_at,
    admission_seq
from hand.arrived;
alter table hand.fact_user_actions add primary key (user_action_id, action_date);
create index on hand.fact_user_actions (admission_seq);
create index on hand.fact_user_actions (organization_id, action_date);
create index on hand.fact_user_actions (user_key, acted_at);
create index on hand.fact_user_actions using brin (acted_at);
create table hand.keys as select user_action_id, action_date from hand.arrived;
alter table hand.keys add primary key (user_action_id);

insert into hand.fact_sessions
select
    (array_agg(user_action_id order by acted_at, user_action_id))[1], md5(organization_id), organization_id, user_key,
    cast(min(acted_at) at time zone 'UTC' as date), min(acted_at), max(acted_at),
    extract(epoch from max(acted_at) - min(acted_at)), count(*), count(distinct action_type), max(admission_seq)
from (
    select *, sum(case when acted_at <= acted_before_at + interval '30 minutes' then 0 else 1 end) over (
        partition by user_key order by acted_at, user_action_id
    ) as session_number
    from (
        select *, lag(acted_at) over (partition by user_key order by acted_at, user_action_id) as acted_before_at
        from hand.fact_user_actions
    ) as followed
) as numbered
group by user_key, organization_id, session_number;
alter table hand.fact_sessions add primary key (session_id, session_date);
create index on hand.fact_sessions (admission_seq);
create index on hand.fact_sessions (organization_id, session_date);
create index on hand.fact_sessions (user_key, started_at);
create index on hand.fact_sessions (duration_seconds);
create index on hand.fact_sessions using brin (started_at);
analyze hand.fact_user_actions, hand.fact_sessions, hand.dim_users;

-- name: later
create temporary table arrived as
select distinct on (id)
    id as user_action_id, organization_id, md5(organization_id || chr(31) || user_id) as user_key, user_id,
    coalesce(login, user_id) as user_login, action_type, repository_name,
    cast(acted_at at time zone 'UTC' as date) as action_date, acted_at, admission_seq
from (
    select
        trim(events.id) as id,
        coalesce(
            cast(org as json) ->> 'login', nullif(split_part(cast(repo as json) ->> 'name', '/', 1), ''), '(unknown)'
        ) as organization_id,
        coalesce(cast(actor as json) ->> 'id', cast(actor as json) ->> 'login', '(unknown)') as user_id,
        cast(actor as json) ->> 'login' as login,
        coalesce(nullif(trim(type), ''), '(unknown)') as action_type,
        cast(repo as json) ->> 'name' as repository_name,
        ops.parse_timestamp(created_at) as acted_at,
        batches.admission_seq,
        events._row_number
    from raw_github.events as events
    inner join ops.batches as batches on events._dlt_load_id = batches.load_id and batches.status = 'admitted'
    where
        batches.admission_seq > (select max(admission_seq) from hand.fact_user_actions)
        and not exists (
            select from ops.quarantine
            where quarantine.batch_id = batches.batch_id and quarantine.row_id = events._row_number
        )
) as events
order by id, admission_seq desc, _row_number desc;
analyze arrived;

insert into hand.dim_users
select distinct on (user_key) user_key, organization_id, user_id, user_login, admission_seq
from arrived order by user_key, admission_seq desc, acted_at desc, user_login desc
on conflict (user_key) do update set login = excluded.login, admission_seq = excluded.admission_seq;
insert into hand.dim_action_types
select distinct
    md5(organization_id || chr(31) || action_type), organization_id, action_type, replace(action_type, 'Event', '')
from arrived on conflict do nothing;
insert into hand.dim_organizations select distinct md5(organization_id), organization_id from arrived on conflict do nothing;

delete from hand.fact_user_actions as known using (
    select arrived.user_action_id, keys.action_date from arrived inner join hand.keys using (user_action_id)
) as before
where known.user_action_id = before.user_action_id and known.action_date = before.action_date;
insert into hand.fact_user_actions
select
    user_action_id, 'github', md5(organization_id), organization_id, user_key, user_id,
    md5(organization_id || chr(31) || action_type), action_type, repository_name, null, null, null, action_date, acted_at,
    admission_seq
from arrived;
insert into hand.keys select user_action_id, action_date from arrived
on conflict (user_action_id) do update set action_date = excluded.action_date;

create temporary table touched as
select user_key, min(from_at) as from_at, max(to_at) as to_at
from (
    select *, count(*) filter (where from_at > reached_at) over (
        partition by user_key order by from_at, to_at rows unbounded preceding
    ) as number
    from (
        select *, max(to_at) over (
            partition by user_key order by from_at, to_at rows between unbounded preceding and 1 preceding
        ) as reached_at
        from (
            select
                around.user_key, least(around.from_at, min(sessions.started_at)) as from_at,
                greatest(around.to_at, max(sessions.ended_at)) as to_at
            from (
                select
                    user_key, min(acted_at) - interval '30 minutes' as from_at,
                    max(acted_at) + interval '30 minutes' as to_at
                from arrived group by user_key, action_date
            ) as around
            left join hand.fact_sessions as sessions
                on around.user_key = sessions.user_key
                and sessions.started_at between
                    around.from_at - (select max(duration_seconds) from hand.fact_sessions) * interval '1 second'
                    and around.to_at
                and sessions.ended_at >= around.from_at
            group by around.user_key, around.from_at, around.to_at
        ) as reached
    ) as compared
) as numbered
group by user_key, number;
analyze touched;

delete from hand.fact_sessions as known using touched
where
    known.user_key = touched.user_key and known.started_at between touched.from_at and touched.to_at
    and known.session_date between cast(from_at at time zone 'UTC' as date) and cast(to_at at time zone 'UTC' as date);
insert into hand.fact_sessions
select
    (array_agg(user_action_id order by acted_at, user_action_id))[1], md5(organization_id), organization_id, user_key,
    cast(min(acted_at) at time zone 'UTC' as date), min(acted_at), max(acted_at),
    extract(epoch from max(acted_at) - min(acted_at)), count(*), count(distinct action_type), max(admission_seq)
from (
    select *, sum(case when acted_at <= acted_before_at + interval '30 minutes' then 0 else 1 end) over (
        partition by user_key order by acted_at, user_action_id
    ) as session_number
    from (
        select
            actions.*,
            lag(acted_at) over (partition by actions.user_key order by acted_at, user_action_id) as acted_before_at
        from hand.fact_user_actions as actions
        inner join touched
            on
                actions.user_key = touched.user_key and acted_at between touched.from_at and touched.to_at
                and action_date between cast(from_at at time zone 'UTC' as date) and cast(to_at at time zone 'UTC' as date)
    ) as followed
) as numbered
group by user_key, organization_id, session_number;
analyze hand.fact_user_actions, hand.fact_sessions, hand.dim_users;
drop table arrived, touched;
