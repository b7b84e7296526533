{#
    Saved queries are views on marts. A mart that is made anew takes the name of the old one, whose views would stay with
    the old one and be dropped together with it: nobody could ask them until they are made again, which a build of some
    models alone never does. So they move to the new mart in the transaction that brings it.

    A view that does not fit the new mart is left to be dropped; its own model says why when it is built. So is one that
    somebody reads for long, or that stands on two marts which are made anew at once: a build of everything makes it
    again, and nobody should wait for it with the new mart locked.
#}
{% macro move_saved_queries() -%}
    {%- set former = make_backup_relation(this, 'table') -%}
    do $$
    declare
        view_name text;
        search_path text := current_setting('search_path');
        lock_timeout text := current_setting('lock_timeout');
    begin
        perform set_config('lock_timeout', '2s', true);
        -- Without a path every name in a view's text is a full one.
        perform set_config('search_path', '', true);
        for view_name in
            select distinct format('%I.%I', pg_namespace.nspname, pg_class.relname)
            from pg_catalog.pg_depend
            inner join pg_catalog.pg_rewrite on pg_depend.objid = pg_rewrite.oid
            inner join pg_catalog.pg_class on pg_rewrite.ev_class = pg_class.oid
            inner join pg_catalog.pg_namespace on pg_class.relnamespace = pg_namespace.oid
            where
                pg_depend.classid = 'pg_catalog.pg_rewrite'::regclass
                and pg_depend.refobjid = to_regclass('{{ former.schema }}.{{ former.identifier }}')
                and pg_namespace.nspname = 'metrics{{ as_of_suffix() }}'
            order by 1
        loop
            begin
                execute format(
                    'create or replace view %s with (security_invoker = true) as %s',
                    view_name,
                    regexp_replace(
                        pg_get_viewdef(view_name::regclass),
                        '\m{{ former.schema }}\.{{ former.identifier }}\M',
                        '{{ this.schema }}.{{ this.identifier }}',
                        'g'
                    )
                );
            exception
                when invalid_table_definition or undefined_column or undefined_function or datatype_mismatch then null;
                when lock_not_available or deadlock_detected then null;
            end;
        end loop;
        perform set_config('search_path', search_path, true);
        perform set_config('lock_timeout', lock_timeout, true);
    end
    $$
{%- endmacro %}
