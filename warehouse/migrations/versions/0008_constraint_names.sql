-- A mart is made under a passing name and takes the place of the one before at the end, but PostgreSQL calls its keys by the
-- name it was made with. Here they get the names that BI tools should show.
create function ops.name_constraints(mart regclass) returns void
language plpgsql as $$
declare
    misnamed record;
    wanted text;
    replaced regclass;
begin
    for misnamed in
        select
            pg_constraint.conname,
            pg_class.relname,
            pg_class.relnamespace::regnamespace as namespace,
            case contype
                when 'p' then '_pkey'
                when 'u' then format('_%s_key', replace(ops.columns_at(conrelid, conkey), ', ', '_'))
                else format('_%s_fkey', replace(ops.columns_at(conrelid, conkey), ', ', '_'))
            end as suffix
        from pg_constraint
        inner join pg_class on pg_constraint.conrelid = pg_class.oid
        where conrelid = mart and contype in ('p', 'u', 'f') and conname like '%\_\_dbt\_%'
    loop
        wanted := left(misnamed.relname || misnamed.suffix, 63);
        -- The index of the table that is being replaced, which is there until the build has been committed.
        replaced := to_regclass(format('%s.%I', misnamed.namespace, wanted));
        if replaced is not null then
            execute format('alter index %s rename to %I', replaced, 'replaced_' || replaced::oid);
        end if;
        execute format('alter table %s rename constraint %I to %I', mart, misnamed.conname, wanted);
    end loop;
end
$$;
