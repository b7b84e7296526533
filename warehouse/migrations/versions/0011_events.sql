-- What users do in applications, as those report it over HTTP. The source `platform` lands it from here like any other table.
create table app.events (
    organization_id text not null,
    event_id text not null,
    user_id text not null,
    action text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    dashboard_id text,
    feature text,
    object text,
    properties jsonb not null default '{}',
    -- Given before its row is committed, so that rows come to be seen out of its order: whoever reads up to a number waits
    -- for the writers that were at work when it was given (connectors/platform/settled.py).
    received_seq bigint generated always as identity,
    primary key (organization_id, event_id)
);
create unique index events_received on app.events (received_seq);
comment on table app.events is 'One row per event that an application reported: what a user of an organization did.';
comment on column app.events.event_id is 'The id its sender gave it; an event that comes again under it is the same one.';
comment on column app.events.user_id is 'Who did it, as the organization calls them.';
comment on column app.events.received_seq is 'Later ones have higher numbers.';

-- The door only adds, and does not read what others have reported.
grant insert on app.events to api;
grant usage on schema app to loader;
grant select on app.events to loader;

-- By which door a question came and who asked it; until now there was but one door.
alter table ops.metric_queries add door text not null default 'command' check (door in ('http', 'command'));
alter table ops.metric_queries add principal text;
comment on column ops.metric_queries.door is 'By which way it came: `http`, or the platform''s own `command`.';
comment on column ops.metric_queries.principal is 'Who asked, such as `key:4be1…`; null for whoever runs the command.';
