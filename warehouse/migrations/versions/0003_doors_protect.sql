-- What dbt calls for each mart and each saved query, and who may call what.

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
