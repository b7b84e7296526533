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

-- All that decides who sees what of a relation, in one value that changes with any of it.
create function app.protection_of(relation regclass) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select md5(concat_ws(
        '|', class.relkind, class.relrowsecurity, class.reloptions::text, class.relacl::text,
        (
            select string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attacl::text), ',' order by attnum)
            from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped
        ),
        (
            select string_agg(
                concat_ws(' ', polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid)),
                ',' order by polname
            )
            from pg_policy where polrelid = class.oid
        ),
        case when class.relkind = 'v' then pg_get_viewdef(class.oid) end
    ))
    from pg_class as class where class.oid = relation
$$;

-- Takes the right to read from everybody but the owner.
create function app.revoke_all(relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    grantee text;
begin
    for grantee in
        select distinct case when entry.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(entry.grantee)) end
        from pg_class as class
        cross join lateral (
            select (aclexplode(class.relacl)).grantee
            union all
            select (aclexplode(attacl)).grantee from pg_attribute where attrelid = class.oid and attacl is not null
        ) as entry
        where class.oid = relation and entry.grantee <> class.relowner
    loop
        execute format('revoke all on %s from %s', relation, grantee);
    end loop;
end
$$;

-- Shuts a mart that fits no rule, and the view it is read by: only the platform itself reads it until it is built as the
-- policy says.
create function app.shut(schema_name text, mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    relation regclass;
begin
    foreach relation in array array[
        to_regclass(format('%I.%I', schema_name, mart_name)),
        to_regclass(format('%I.%I', regexp_replace(schema_name, '^personal', 'marts'), mart_name))
    ] loop
        if relation is not null then
            perform app.revoke_all(relation);
            execute format('grant select on %s to api', relation);
        end if;
    end loop;
end
$$;

-- Lets the doors into the schemas of one state of the warehouse; those of today's are open from the beginning.
create function app.open_schema(schema_name text, variadic readers text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wanted text;
    lock_key bigint := hashtextextended('app.open_schema', 0);
begin
    if not exists (select from pg_namespace where nspname = schema_name) then
        -- Two models of one build may come here at once, and PostgreSQL lets only one of two changes of a schema pass.
        perform pg_advisory_xact_lock(lock_key);
        execute format('create schema if not exists %I', schema_name);
    end if;
    foreach wanted in array readers loop
        if not has_schema_privilege(wanted, schema_name, 'USAGE') then
            perform pg_advisory_xact_lock(lock_key);
            if not has_schema_privilege(wanted, schema_name, 'USAGE') then
                execute format('grant usage on schema %I to %I', schema_name, wanted);
            end if;
        end if;
    end loop;
end
$$;

create function app.copy_comments(original regclass, copy regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    said record;
begin
    for said in
        select source.attname, col_description(original, source.attnum) as comment
        from pg_attribute as source
        inner join pg_attribute as target on target.attrelid = copy and target.attname = source.attname
        where
            source.attrelid = original
            and source.attnum > 0
            and col_description(original, source.attnum) is distinct from col_description(copy, target.attnum)
    loop
        execute format('comment on column %s.%I is %L', copy, said.attname, said.comment);
    end loop;
    if obj_description(original, 'pg_class') is distinct from obj_description(copy, 'pg_class') then
        execute format('comment on view %s is %L', copy, obj_description(original, 'pg_class'));
    end if;
end
$$;

-- Raises what is wrong with a rule for this table; the policy file itself was checked when it was read.
create function app.check_rule(relation regclass, mart_name text, area text, rule jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stated record;
    kind "char" := (select relkind from pg_class where oid = relation);
begin
    if kind not in ('r', 'p') then
        raise exception '% is no table, and only tables have row-level security', relation
            using errcode = 'wrong_object_type', hint = 'materialize the model as table or incremental';
    end if;
    if area = 'marts' and jsonb_array_length(rule -> 'personal') > 0 then
        raise exception 'the mart % has personal columns, so it must be built in the schema personal, not in marts', mart_name
            using hint = 'say schema=''personal'' in the config of the model: its readers get a view with masks';
    end if;
    for stated in
        select named.name, named.role, attribute.atttypid
        from (
            select rule ->> 'organization_column' as name, 'organization_column' as role
            union all
            select jsonb_array_elements_text(rule -> 'personal'), 'personal'
            union all
            select jsonb_array_elements_text(rule -> 'hidden_from_tenants'), 'hidden_from_tenants'
        ) as named
        left join pg_attribute as attribute
            on
                attribute.attrelid = relation
                and attribute.attname = named.name
                and attribute.attnum > 0
                and not attribute.attisdropped
        where named.name is not null
    loop
        if stated.atttypid is null then
            raise exception 'the tenant policy of % names the column % as %, and the mart has no such column',
                mart_name, stated.name, stated.role
                using errcode = 'undefined_column', hint = 'correct its name in warehouse/policy.yaml';
        end if;
        if stated.role <> 'hidden_from_tenants' and stated.atttypid not in ('text'::regtype, 'varchar'::regtype) then
            raise exception 'the tenant policy of % names the column % as %, which must be text and is %',
                mart_name, stated.name, stated.role, format_type(stated.atttypid, null)
                using errcode = 'datatype_mismatch', hint = 'cast it to text in the model';
        end if;
    end loop;
end
$$;

-- The view by which a mart with personal columns is read. Its two halves are for two kinds of readers, and the plan of
-- each has his own half alone: one condition with `or` would keep an organization from using the index on its rows.
create function app.view_of(relation regclass, shown text, rule jsonb) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    personal jsonb := coalesce(rule -> 'personal', '[]');
    hidden jsonb := coalesce(rule -> 'hidden_from_tenants', '[]');
    of_one text;
    of_all text;
    whose text;
begin
    select
        string_agg(
            case
                when hidden ? attname then format('cast(null as %s) as %I', type_name, attname)
                when personal ? attname then format('cast(mart.%I as text) as %1$I', attname)
                else format('mart.%I', attname)
            end,
            ', ' order by attnum
        ),
        string_agg(
            case
                when personal ? attname
                    then format(
                        'case when (select app.reads_personal()) then cast(mart.%I as text)'
                        ' else app.mask(cast(mart.%1$I as text)) end as %1$I',
                        attname
                    )
                else format('mart.%I', attname)
            end,
            ', ' order by attnum
        )
    into of_one, of_all
    from (
        select
            attname::text as attname,
            attnum,
            case when personal ? attname::text then 'text' else format_type(atttypid, atttypmod) end as type_name
        from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped
    ) as columns;

    whose := case
        when rule ? 'organization_column' then format(
            'not app.planned_for_every_row() and not (select app.reads_every_row())'
            ' and mart.%I = app.planned_organization()'
            ' and (select app.current_organization()) = app.planned_organization()',
            rule ->> 'organization_column'
        )
        else 'false'
    end;
    return format(
        'create or replace view %s with (security_barrier) as select %s from %s as mart where %s'
        ' union all select %s from %3$s as mart where app.planned_for_every_row() and (select app.reads_every_row())',
        shown, of_one, relation, whose, of_all
    );
end
$$;

-- A saved query stands on marts, and whoever asks it may see there only what he may see.
create function app.protect_saved_query(relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    reader text;
begin
    if (select relkind from pg_class where oid = relation) <> 'v' then
        raise exception '% is no view, and a copy of rows would show every organization''s to all', relation
            using errcode = 'wrong_object_type', hint = 'materialize it as a view';
    end if;
    if not exists (
        select from pg_class cross join lateral pg_options_to_table(reloptions)
        where oid = relation and option_name = 'security_invoker' and option_value::boolean
    ) then
        execute format('alter view %s set (security_invoker = true)', relation);
    end if;
    foreach reader in array array['analyst', 'api', 'tenant'] loop
        if not has_table_privilege(reader, relation, 'SELECT') then
            execute format('grant select on %s to %I', relation, reader);
        end if;
    end loop;
end
$$;

-- Puts the policy's rule on a mart that was just built; called by dbt in the transaction that builds it. A mart that has
-- it already is left as it is.
create function app.protect(schema_name text, mart_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    area text := substring(schema_name from '^(marts|personal|metrics)(?:_.+)?$');
    suffix text := coalesce(substr(schema_name, length(area) + 1), '');
    relation regclass := to_regclass(format('%I.%I', schema_name, mart_name));
    shown_name text := format('%I.%I', 'marts' || suffix, mart_name);
    rule jsonb;
    for_tenants text;
    columns_for_tenants text;
    existing record;
begin
    if area is null then
        raise exception 'the schema % has no door: marts are in marts and personal, saved queries in metrics', schema_name;
    end if;
    if relation is null then
        raise exception 'there is no table %.%', schema_name, mart_name using errcode = 'undefined_table';
    end if;
    if area = 'metrics' then
        perform app.open_schema(schema_name, 'analyst', 'api', 'tenant');
        perform app.protect_saved_query(relation);
        return;
    end if;
    select policy.rule into rule from app.policy where policy.mart = mart_name;
    if not found then
        raise exception 'the mart % is not in the tenant policy, so it would be served to nobody', mart_name
            using hint = 'add it to warehouse/policy.yaml with its organization column, or as shared, or as internal';
    end if;
    perform app.check_rule(relation, mart_name, area, rule);
    perform app.open_schema('marts' || suffix, 'analyst', 'api', 'tenant');
    if area = 'personal' then
        perform app.open_schema(schema_name, 'api');
    end if;
    if app.is_protected(relation, to_regclass(shown_name), rule) then
        if area = 'personal' then
            perform app.copy_comments(relation, to_regclass(shown_name));
        end if;
        return;
    end if;

    for existing in select polname from pg_policy where polrelid = relation loop
        execute format('drop policy %I on %s', existing.polname, relation);
    end loop;
    perform app.revoke_all(relation);
    execute format('alter table %s enable row level security', relation);

    -- In both, the function is asked once for the whole query, since the subquery depends on no row. A login of another
    -- warehouse on this server is no organization here, and reads nothing at all.
    for_tenants := case
        when rule ? 'organization_column' then format(
            '%I = app.planned_organization() and (select app.current_organization()) = app.planned_organization()',
            rule ->> 'organization_column'
        )
        when rule @> '{"shared": true}' then '(select app.current_organization()) is not null'
    end;
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns_for_tenants
    from pg_attribute
    where
        attrelid = relation
        and attnum > 0
        and not attisdropped
        and not coalesce(rule -> 'hidden_from_tenants', '[]') ? attname;

    if area = 'personal' then
        execute format('create policy every_row on %s for select to api using (true)', relation);
        execute format('grant select on %s to api', relation);
        perform app.replace_view(relation, shown_name, rule);
        perform app.copy_comments(relation, shown_name::regclass);
    else
        execute format('create policy every_row on %s for select to analyst, api using (true)', relation);
        if for_tenants is not null then
            execute format('create policy own_rows on %s for select to tenant using (%s)', relation, for_tenants);
        end if;
    end if;
    execute format('grant select on %s to analyst, api', shown_name);
    if for_tenants is not null then
        if rule ? 'hidden_from_tenants' then
            execute format('grant select (%s) on %s to tenant', columns_for_tenants, shown_name);
        else
            execute format('grant select on %s to tenant', shown_name);
        end if;
    end if;
    execute format(
        'comment on policy every_row on %s is %L', relation, app.protection(relation, shown_name::regclass, rule)
    );
end
$$;

-- What the comment of the policy `every_row` says when nothing was changed since `app.protect` wrote it.
create function app.protection(relation regclass, shown regclass, rule jsonb) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select 'doors 1 ' || md5(concat_ws('|', rule, app.protection_of(relation), app.protection_of(shown)))
$$;

create function app.is_protected(relation regclass, shown regclass, rule jsonb) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(bool_or(
        obj_description(policy.oid, 'pg_policy') = app.protection(relation, shown, rule)
    ), false)
    from pg_policy as policy where policy.polrelid = relation and policy.polname = 'every_row'
$$;

create function app.replace_view(relation regclass, shown_name text, rule jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    kind "char" := (select relkind from pg_class where oid = to_regclass(shown_name));
begin
    -- The mart as it was built before it had personal columns.
    if kind in ('r', 'p') then
        execute format('drop table %s cascade', shown_name);
    end if;
    begin
        execute app.view_of(relation, shown_name, rule);
    exception when invalid_table_definition then
        -- Its columns are others now; saved queries over it are made again by the same build.
        execute format('drop view %s cascade', shown_name);
        execute app.view_of(relation, shown_name, rule);
    end;
    perform app.revoke_all(shown_name::regclass);
end
$$;

revoke execute on all functions in schema app from public;
grant usage on schema app to transformer;
grant select on app.policy to transformer;
grant execute on all functions in schema app to transformer;
-- What policies and views ask on behalf of their reader; he cannot call it by himself, as he has no way into `app`.
grant execute on function
    app.current_organization(name), app.planned_organization(), app.reads_every_row(name), app.planned_for_every_row(),
    app.reads_personal(name), app.mask(text)
to tenant, analyst, api;

grant usage on schema marts to tenant;
grant usage on schema personal to api;
grant usage on schema metrics to analyst, api, tenant;
-- A fresh mart is read by nobody but the platform until it has its rule.
alter default privileges for role transformer in schema marts revoke select on tables from analyst;
alter default privileges for role transformer in schema personal grant select on tables to api;

do $$
begin
    if has_schema_privilege('public', to_regnamespace('public'), 'CREATE') then
        revoke create on schema public from public;
    end if;
    -- The one thing that a login without any right to write could otherwise leave behind in a database.
    if (select rolsuper from pg_roles where rolname = current_user) then
        revoke execute on function
            pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea)
        from public;
    end if;
end
$$;
