-- The doors of PostgreSQL: logins of organizations and of analysts, the tenant policy as row-level security, and masks.
-- No name in a function here depends on the caller's search_path, and none is for anybody but the roles named below it.

-- Members of `tenant` are the organizations' logins; see 0001 for why it is made like this.
do $$
begin
    begin
        create role tenant nologin;
    exception when duplicate_object or unique_violation then null;
    end;
    if not pg_has_role(
        current_user, 'tenant',
        case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end
    ) then
        begin
            grant tenant to current_user;
        exception when unique_violation then null;
        end;
    end if;
end
$$;

create schema if not exists personal authorization transformer;
create schema if not exists partitions authorization transformer;
create schema if not exists metrics authorization transformer;
comment on schema personal is 'Marts with personal columns; readers see them through the views of the schema marts.';
comment on schema partitions is 'Where large facts keep their months; readers see them through the facts.';
comment on schema metrics is 'Saved queries of the metrics, as views.';

create table app.tenants (
    organization_id text primary key check (organization_id not in ('(unknown)', '(operator)')),
    login name not null unique,
    created_at timestamptz not null default now()
);
comment on table app.tenants is 'One row per organization with a login: who sees which rows.';

create table app.analysts (
    name text primary key,
    login name not null unique,
    created_at timestamptz not null default now()
);
comment on table app.analysts is 'One row per person or program with a login of an analyst.';

create table app.policy (mart text primary key, rule jsonb not null);
comment on table app.policy is 'One row per mart: warehouse/policy.yaml as the functions below read it.';

create table app.mask_salt (salt bytea not null);
comment on table app.mask_salt is 'One row: the secret that makes masks of this warehouse unlike those of any other.';
insert into app.mask_salt
select decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

-- What policies and views ask about their reader is plpgsql, which keeps its plans: as plain SQL each call costs five
-- times as much, which a query of a millisecond feels.

-- Whose rows the acting role reads; null for a role that is no organization's login here, so that it finds nothing.
-- `current_user` is said by the caller, since in here it is the owner; and nobody can say a role that he may not become.
create function app.current_organization(acting_as name default current_user) returns text
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
    if pg_has_role(session_user, acting_as, 'MEMBER') then
        return (select organization_id from app.tenants where login = acting_as);
    end if;
    return null;
end
$$;

create function app.reads_every_row(acting_as name default current_user) returns boolean
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    return pg_has_role(acting_as, 'analyst', 'USAGE')
        or pg_has_role(acting_as, 'api', 'USAGE')
        or pg_has_role(acting_as, 'transformer', 'USAGE');
end
$$;

create function app.reads_personal(acting_as name default current_user) returns boolean
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    return pg_has_role(acting_as, 'api', 'USAGE') or pg_has_role(acting_as, 'transformer', 'USAGE');
end
$$;

-- The first two answers for the role that a query is planned for, as constants in its plan: they are not immutable at
-- all, but only so does the planner know how many rows an organization has, and leaves out what the reader is not. (An
-- organization with half of two million rows waited up to twice as long without.) A plan may outlive what it was made
-- for, a role that changes, a login that is taken: so whatever uses these asks the true ones besides, once, when it
-- runs, and shows nothing when they differ.
create function app.planned_organization() returns text
language plpgsql immutable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
    return app.current_organization(app.acting_role());
end
$$;

create function app.planned_for_every_row() returns boolean
language plpgsql immutable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
    return app.reads_every_row(app.acting_role());
end
$$;

-- The caller's `current_user`, as a function sees it that runs as its owner.
create function app.acting_role() returns name
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    return case current_setting('role') when 'none' then session_user else current_setting('role') end;
end
$$;

-- The same value has the same mask everywhere, so that joins and distinct counts go on working.
create function app.mask(value text) returns text
language plpgsql stable strict parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
    return 'masked-' || left(
        encode(sha256((select salt from app.mask_salt) || convert_to(value, 'UTF8')), 'hex'), 20
    );
end
$$;
