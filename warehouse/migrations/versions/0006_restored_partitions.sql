-- Partitions, and the tables beside them, are called by the number (oid) of their fact, which tells a fact that is being
-- built from the one of the same name that it will replace. A logical restore gives every table another number.

-- Calls them by the number that their fact has now; called whenever the platform opens the warehouse. Which fact they
-- belong to is said by its partitions, whose names still carry the number of before.
create function ops.renumber_partitions() returns void
language plpgsql as $$
declare
    relations regclass[];
    names text[];
begin
    with months as (
        select
            pg_inherits.inhparent as fact,
            class.oid as relation,
            class.relname,
            substring(class.relname from '\d+$') as number
        from pg_inherits
        inner join pg_class as class on pg_inherits.inhrelid = class.oid
        where
            class.relnamespace = 'partitions'::regnamespace
            and class.relkind = 'r'
            and class.relname ~ '_\d{4,}_\d\d_\d+$'
    ),

    misnamed as (
        select relation, relname, fact from months where number <> fact::text
        union
        select class.oid, class.relname, months.fact
        from months
        inner join pg_class as class on class.relname in ('keys_' || months.number, 'replaced_' || months.number)
        where months.number <> months.fact::text and class.relnamespace = 'partitions'::regnamespace and class.relkind = 'r'
    )

    select
        array_agg(relation order by relation),
        array_agg(regexp_replace(relname, '\d+$', fact::text) order by relation)
    into relations, names
    from misnamed;

    -- Two facts may have each other's number, so every table is first called as no other is.
    for place in 1..coalesce(cardinality(relations), 0) loop
        execute format('alter table %s rename to %I', relations[place], 'restored_' || relations[place]::oid);
    end loop;
    for place in 1..coalesce(cardinality(relations), 0) loop
        -- Whatever has the name still belonged to a fact that is gone.
        execute format('drop table if exists partitions.%I', names[place]);
        execute format('alter table %s rename to %I', relations[place], names[place]);
    end loop;
end
$$;

alter function ops.replace_in_partitions(regclass, regclass, text, text, text[]) rename to replace_known_in_partitions;

create function ops.replace_in_partitions(
    fact regclass, arrived regclass, key_column text, time_column text, remembered text[]
) returns void
language plpgsql as $$
declare
    has_rows boolean;
begin
    if key_column is null or to_regclass(format('partitions.keys_%s', fact::oid)) is not null then
        perform ops.replace_known_in_partitions(fact, arrived, key_column, time_column, remembered);
        return;
    end if;
    -- A fact that was restored without rows has no partition which could say whose its keys are; nor has it any keys.
    execute format('select exists (select from %s)', fact) into has_rows;
    if has_rows then
        raise exception 'the keys of % are not in the schema partitions, so its old rows cannot be found', fact
            using hint = 'make it anew: datainsight run --full-refresh';
    end if;
    perform ops.fill_partitions(fact, arrived, key_column, time_column, remembered);
end
$$;
