-- Renews the statistics of a partitioned fact: of those months of which a tenth has changed since theirs were made, which is
-- when the server would renew them by itself, and of the whole when it has grown by a tenth, which the server never does.
-- To look at all of it after each build would cost more than most builds do, and the more the longer the history is.
create function ops.renew_partition_statistics(fact regclass) returns void
language plpgsql as $$
declare
    month regclass;
begin
    -- Before PostgreSQL 18 the whole cannot be looked at without each of its months.
    if current_setting('server_version_num')::int < 180000 then
        execute format('analyze %s', fact);
        return;
    end if;
    for month in
        select inhrelid
        from pg_inherits
        inner join pg_class on pg_inherits.inhrelid = pg_class.oid
        where
            inhparent = fact
            -- What this transaction has changed is not yet among what the server has counted.
            and pg_stat_get_mod_since_analyze(inhrelid)
            + pg_stat_get_xact_tuples_inserted(inhrelid)
            + pg_stat_get_xact_tuples_updated(inhrelid)
            + pg_stat_get_xact_tuples_deleted(inhrelid)
            > greatest(reltuples, 0) / 10
    loop
        execute format('analyze %s', month);
    end loop;
    if (
        select sum(greatest(month_class.reltuples, 0) + pg_stat_get_mod_since_analyze(inhrelid)) > 1.1 * whole.reltuples
        from pg_inherits
        inner join pg_class as month_class on inhrelid = month_class.oid
        inner join pg_class as whole on inhparent = whole.oid
        where inhparent = fact
        group by whole.reltuples
    ) then
        execute format('analyze only %s', fact);
    end if;
end
$$;
