-- How a fact that is partitioned by month is filled. Its key alone is unique in no index of the fact, since PostgreSQL has
-- none over all partitions; `keys_<oid>` beside the partitions says in which month a key lies, so that a correction finds
-- its old row without asking every month there ever was. The functions run as their caller, dbt's role.

create schema if not exists partitions authorization transformer;

create function ops.add_month_partitions(fact regclass, arrived regclass, time_column text) returns void
language plpgsql as $$
declare
    month date;
    partition_name text;
    base_name text := regexp_replace((select relname from pg_class where oid = fact), '__dbt_.*$', '');
begin
    for month in execute format('select distinct date_trunc(''month'', %I)::date from %s order by 1', time_column, arrived)
    loop
        if month is null then
            raise exception '% has a row without %, which says in which month it lies', fact, time_column;
        end if;
        -- A fact that is built again has partitions of its own, whose names must not meet those of the old one.
        partition_name := format('%s_%s_%s', left(base_name, 40), to_char(month, 'YYYY_MM'), fact::oid);
        if to_regclass(format('partitions.%I', partition_name)) is null then
            execute format(
                'create table partitions.%I partition of %s for values from (%L) to (%L)',
                partition_name, fact, month, (month + interval '1 month')::date
            );
        end if;
    end loop;
end
$$;

create function ops.columns_of(relation regclass) returns text
language sql stable as $$
    select string_agg(quote_ident(attname), ', ' order by attnum)
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
$$;

-- The first rows of an empty fact. `key_column` is null for a fact whose rows are never looked up by their key;
-- `remembered` names the columns whose former values are kept when a row is replaced.
create function ops.fill_partitions(
    fact regclass, arrived regclass, key_column text, time_column text, remembered text[]
) returns void
language plpgsql as $$
begin
    perform ops.add_month_partitions(fact, arrived, time_column);
    execute format('insert into %s (%s) select %2$s from %s', fact, ops.columns_of(arrived), arrived);
    if key_column is not null then
        execute format(
            'create table partitions.%I as select %I, %I from %s',
            'keys_' || fact::oid, key_column, time_column, arrived
        );
        execute format('alter table partitions.%I add primary key (%I)', 'keys_' || fact::oid, key_column);
        execute format('analyze partitions.%I', 'keys_' || fact::oid);
    end if;
    if cardinality(remembered) > 0 then
        execute format(
            'create table partitions.%I as select %s, admission_seq from %s with no data',
            'replaced_' || fact::oid, (select string_agg(quote_ident(name), ', ') from unnest(remembered) as name), fact
        );
    end if;
end
$$;

create function ops.replace_in_partitions(
    fact regclass, arrived regclass, key_column text, time_column text, remembered text[]
) returns void
language plpgsql as $$
declare
    keys text := format('partitions.%I', 'keys_' || fact::oid);
    month date;
    same_key_and_month text;
begin
    execute format('analyze %s', arrived);
    perform ops.add_month_partitions(fact, arrived, time_column);
    if key_column is not null then
        for month in execute format(
            'select distinct date_trunc(''month'', known.%1$I)::date from %2$s as known'
            ' inner join %3$s as arrived on known.%4$I = arrived.%4$I',
            time_column, keys, arrived, key_column
        )
        loop
            -- Bounds that are constants let the planner leave the other months out.
            same_key_and_month := format(
                'known.%1$I = arrived.%1$I and known.%2$I >= %3$L and known.%2$I < %4$L',
                key_column, time_column, month, (month + interval '1 month')::date
            );
            if cardinality(remembered) > 0 then
                execute format(
                    'insert into partitions.%1$I select %2$s, arrived.admission_seq from %3$s as known'
                    ' inner join %4$s as arrived on %5$s where (%2$s) is distinct from (%6$s)',
                    'replaced_' || fact::oid,
                    (select string_agg('known.' || quote_ident(name), ', ') from unnest(remembered) as name),
                    fact, arrived, same_key_and_month,
                    (select string_agg('arrived.' || quote_ident(name), ', ') from unnest(remembered) as name)
                );
            end if;
            execute format('delete from %s as known using %s as arrived where %s', fact, arrived, same_key_and_month);
        end loop;
    end if;
    execute format('insert into %s (%s) select %2$s from %s', fact, ops.columns_of(arrived), arrived);
    if key_column is not null then
        execute format(
            'insert into %1$s as known select %2$I, %3$I from %4$s'
            ' on conflict (%2$I) do update set %3$I = excluded.%3$I where known.%3$I <> excluded.%3$I',
            keys, key_column, time_column, arrived
        );
    end if;
end
$$;

-- What belonged to a fact that is no longer there: dropping it takes its partitions along, but not these.
create function ops.drop_orphaned_partition_tables() returns void
language plpgsql as $$
declare
    orphan text;
begin
    for orphan in
        select tablename from pg_tables
        where
            schemaname = 'partitions'
            and tablename ~ '^(keys|replaced)_\d+$'
            and not exists (
                select from pg_class where oid = cast(substring(tablename from '\d+$') as bigint)::oid
            )
    loop
        execute format('drop table partitions.%I', orphan);
    end loop;
end
$$;

-- A state of the past is built as a published snapshot names it.
grant select on ops.snapshots to transformer;

-- Adds the foreign keys of `wanted` that are not there: objects with name, table, columns, to, to_columns, checked.
create function ops.declare_foreign_keys(wanted jsonb) returns void
language plpgsql as $$
declare
    foreign_key record;
    manner text;
begin
    for foreign_key in
        select *
        from jsonb_to_recordset(wanted)
            as stated (name text, "table" text, columns text, "to" text, to_columns text, checked boolean)
        where
            to_regclass("table") is not null
            and to_regclass("to") is not null
            and not exists (
                select from pg_constraint
                where
                    conrelid = to_regclass(stated."table")
                    and confrelid = to_regclass(stated."to")
                    and contype = 'f'
                    and ops.columns_at(conrelid, conkey) = stated.columns
            )
    loop
        -- A day beyond the calendar is no reason to lose a row, so only a key that nobody checks can point there.
        continue when foreign_key."to" like '%.dim_dates' and current_setting('server_version_num')::int < 180000;
        manner := case
            when foreign_key.checked then ''
            when current_setting('server_version_num')::int >= 180000 then ' not enforced'
            -- Before that, a partitioned table knows no key that is not checked.
            when (select relkind from pg_class where oid = foreign_key."table"::regclass) = 'p' then ''
            else ' not valid'
        end;
        execute format(
            'alter table %s add constraint %I foreign key (%s) references %s (%s)%s',
            foreign_key."table", foreign_key.name, foreign_key.columns, foreign_key."to", foreign_key.to_columns, manner
        );
    end loop;
end
$$;

create function ops.columns_at(relation oid, places smallint[]) returns text
language sql stable as $$
    select string_agg(quote_ident(attname), ', ' order by place.number)
    from unnest(places) with ordinality as place (attnum, number)
    inner join pg_attribute on pg_attribute.attrelid = relation and pg_attribute.attnum = place.attnum
$$;
