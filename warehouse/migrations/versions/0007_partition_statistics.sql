-- Renews the statistics of a partitioned fact: of the whole, and of those months of which a tenth has changed since
-- theirs were made, which is when the server would renew them by itself. To look at every month after each build would
-- cost more than most builds do.
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
    execute format('analyze only %s', fact);
end
$$;
