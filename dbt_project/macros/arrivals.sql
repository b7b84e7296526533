{#
    What has arrived since a fact was last built, for the models that are built before it: its dimensions must know what
    it is about to name. The fact itself takes the same rows, so nothing falls between two builds when one fails.
#}

{#
    The condition on `admission_seq` that keeps the rows which a mart has not taken yet; all of them before its first build.

    Of a mart that several tables fill, each table has a newest admission of its own: a source that was left out for a
    while would otherwise lose what was admitted before, once another source went past it.

    Args:
        mart: The mart.
        tables: The landed tables that fill it, each as `source.table`, when they are several.
#}
{% macro not_yet_in(mart, tables=none) -%}
    {%- if tables is not none and not execute -%}{%- do ref('stg_ops__batches') -%}{%- endif -%}
    {%- set known = built_mart(mart) -%}
    {%- if known is none -%}
        true
    {%- elif tables is none or not asks_database() -%}
        admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ known }} as known)
    {%- else -%}
        {%- set numbers = admissions_not_yet_in(known, tables) -%}
        {{ 'admission_seq in (' ~ numbers | join(', ') ~ ')' if numbers else 'false' }}
    {%- endif -%}
{%- endmacro %}

{#
    The admissions of these tables after the newest that left a row in a mart. They are looked through from the newest on,
    each by the mart's index on `admission_seq`. Both orders are for PostgreSQL: without the outer one it joins all of the
    mart, and without the inner one it expects to meet a row of any admission soon, and reads all of it for one without rows.
#}
{% macro admissions_not_yet_in(known, tables) -%}
    {%- set numbers = [] -%}
    {%- for table in tables -%}
        {%- set of_table -%}
            from {{ ref('stg_ops__batches') }}
            where
                source_name = '{{ table.split('.')[0] }}'
                and table_name = '{{ table.split('.')[1] }}'
                and admission_seq is not null
                and row_count > quarantined_count
        {%- endset -%}
        {%- set query -%}
            select admission_seq {{ of_table }}
                and admission_seq > coalesce((
                    select candidates.admission_seq
                    from (select admission_seq {{ of_table }} order by admission_seq desc) as candidates
                    where (
                        select known.admission_seq
                        from {{ known }} as known
                        where known.admission_seq >= candidates.admission_seq
                        order by known.admission_seq
                        limit 1
                    ) = candidates.admission_seq
                    order by candidates.admission_seq desc
                    limit 1
                ), 0)
            order by admission_seq
        {%- endset -%}
        {%- do numbers.extend(run_query(query).columns[0].values()) -%}
    {%- endfor -%}
    {{ return(numbers) }}
{%- endmacro %}

{#
    Beside `not_yet_in`, on the staging of a table that is only added to: the loads of the same admissions, by name. The rows
    of loads that it is told PostgreSQL finds by the index of raw; those it would have to look up in the ledger, it looks for
    in all of raw.
#}
{% macro loads_not_yet_in(mart, table) -%}
    {%- set known = built_mart(mart) -%}
    {%- if known is none or not asks_database() -%}
        true
    {%- else -%}
        {{ of_loads(table, admissions_not_yet_in(known, [table]) | join(', ')) }}
    {%- endif -%}
{%- endmacro %}

{# The same beside `not_yet_published`. #}
{% macro loads_not_yet_published(table) -%}
    {%- if not asks_database() or flags.FULL_REFRESH or var('as_of') is not none -%}
        true
    {%- else -%}
        {%- set newer -%}
            select admission_seq
            from {{ source('ops', 'batches') }}
            where {{ not_yet_published('admission_seq') }}
        {%- endset -%}
        {{ of_loads(table, newer) }}
    {%- endif -%}
{%- endmacro %}

{#
    The condition on `load_id` that names the loads of these admissions; of none or of very many it names none. They are
    looked up in the ledger itself, which is there, and as it is today, before anything has been built.
#}
{% macro of_loads(table, admissions) -%}
    {%- set loads = [] -%}
    {%- if admissions -%}
        {%- set query -%}
            select load_id
            from {{ source('ops', 'batches') }}
            where
                source = '{{ table.split('.')[0] }}'
                and table_name = '{{ table.split('.')[1] }}'
                and admission_seq in ({{ admissions }})
            order by load_id
        {%- endset -%}
        {%- do loads.extend(run_query(query).columns[0].values()) -%}
    {%- endif -%}
    {%- if 0 < loads | length <= 100 -%}
        load_id in ('{{ loads | join("', '") }}')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#
    The condition that keeps the rows whose batch no snapshot has published: what was published has been tested before.
    A build of everything anew, or as of another time, tests everything.
#}
{% macro not_yet_published(column) -%}
    {%- if flags.FULL_REFRESH or var('as_of') is not none -%}
        true
    {%- else -%}
        {{ column }} > (
            select coalesce(max(snapshots.admission_seq), 0) from {{ source('ops', 'snapshots') }} as snapshots
        )
    {%- endif -%}
{%- endmacro %}

{# The relation of a mart that is there and stays; none where it is about to be made anew. #}
{% macro built_mart(mart) -%}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return(none) }}{%- endif -%}
    {%- set schema = 'marts' ~ as_of_suffix() -%}
    {%- if not asks_database() -%}
        {#- Compiled without a database, a mart is taken to be there, so that the whole statement is compiled. -#}
        {{ return(api.Relation.create(database=this.database, schema=schema, identifier=mart)) }}
    {%- endif -%}
    {{ return(adapter.get_relation(database=this.database, schema=schema, identifier=mart)) }}
{%- endmacro %}

{# Stops a fact that would be made anew from what only arrived last. #}
{% macro built_together_with(model_name) -%}
    {%- if execute and not is_incremental() and 'model.datainsight.' ~ model_name not in selected_resources -%}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ " is made anew from " ~ model_name ~ ", which is not among the selected models;"
            ~ " select +" ~ this.identifier
        ) }}
    {%- endif -%}
{%- endmacro %}

{# Where the former values of a fact's replaced rows are kept; none where nothing keeps them. #}
{% macro replaced_rows(mart) -%}
    {{ return(adapter.dispatch('replaced_rows')(mart)) }}
{%- endmacro %}

{% macro default__replaced_rows(mart) -%}
    {{ return(none) }}
{%- endmacro %}

{% macro postgres__replaced_rows(mart) -%}
    {%- set known = built_mart(mart) -%}
    {%- if known is none or not asks_database() -%}{{ return(none) }}{%- endif -%}
    {%- set query -%}
        select to_regclass('partitions.replaced_' || cast('{{ known }}' as regclass)::oid)
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro %}
