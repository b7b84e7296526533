-- What the protection of a mart is made of: its state, its rights, the check of its rule, the view with masks.

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
