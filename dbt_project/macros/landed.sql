{#
    How staging reads raw: the rows of admitted batches without those in quarantine, every column as text.
    Nothing else in the project calls source(); what the values mean is said by the staging models.
#}

{#
    The admitted rows of one landed table, with `admission_seq`, `batch_id`, `_row_number`, `landed_at` and `load_id`.

    A key that a later complete copy of its source no longer had is gone: with `key` its rows are left out, with
    `deletions` the deletion is a row, for models that read every version. Of a table without a key, whose source gives it
    whole each time, only the newest copy is read.

    A table that was never landed gives no rows, a column that was never landed gives nulls, so that a source that is
    not configured, or an older file without a column, breaks nothing. Batches admitted after this view was made stay
    out until it is made again: all models of one build see the same batches of a table.

    Args:
        source_name: The source, whose schema is `raw_<source_name>`.
        table_name: The table in that schema.
        columns: The names of the raw columns to read.
        key: The raw column, or the list of them, that tells rows apart. Given, only the latest admitted version of each key is read:
            the highest `admission_seq`, and within a batch the last row.
        deletions: Whether deletions are rows too, told by `is_deleted`; such a row has nothing but its key.
#}
{% macro landed(source_name, table_name, columns, key=none, deletions=false) %}
{%- set relation = source(source_name, table_name) -%}
{#- Without a database to ask, every column is taken to be there, so that what is compiled is the whole statement. -#}
{%- set names = columns | map('lower') | list -%}
{%- set known = landed_columns(relation) if asks_database() or not execute else names + ['_dlt_deleted'] -%}
{%- set has_deletions = '_dlt_deleted' in known -%}
{%- if not known %}
select
    cast(null as {{ type_bigint() }}) as admission_seq,
    cast(null as {{ type_bigint() }}) as batch_id,
    cast(null as {{ type_bigint() }}) as _row_number,
    cast(null as {{ type_moment() }}) as landed_at,
    cast(null as {{ type_string() }}) as load_id
    {%- for name in names %},
    cast(null as {{ type_string() }}) as {{ adapter.quote(name) }}
    {%- endfor %}
    {%- if deletions %},
    cast(null as {{ type_boolean() }}) as is_deleted
    {%- endif %}
where false
{%- else %}
select
    admission_seq,
    batch_id,
    _row_number,
    landed_at,
    load_id
    {%- for name in names %},
    {{ adapter.quote(name) }}
    {%- endfor %}
    {%- if deletions %},
    is_deleted
    {%- endif %}
from (
    select
        batch.admission_seq,
        batch.batch_id,
        landed._row_number,
        batch.landed_at,
        landed._dlt_load_id as load_id
        {%- for name in names %},
        cast({{ 'landed.' ~ adapter.quote(name) if name in known else 'null' }} as {{ type_string() }})
            as {{ adapter.quote(name) }}
        {%- endfor %}
        {%- if has_deletions or deletions %},
        {{ 'coalesce(landed._dlt_deleted, false)' if has_deletions else 'false' }} as is_deleted
        {%- endif %}
        {%- if key %},
        row_number() over (
            partition by
                {%- for name in ([key] if key is string else key) %}
                trim(cast(landed.{{ adapter.quote(name) }} as {{ type_string() }})){{ ',' if not loop.last }}
                {%- endfor %}
            order by batch.admission_seq desc, landed._row_number desc
        ) as version_rank
        {%- endif %}
    from {{ relation }} as landed
    inner join (
        select
            batch_id,
            load_id,
            landed_at,
            admission_seq
        from {{ source('ops', 'batches') }}
        where
            source = '{{ source_name }}'
            and table_name = '{{ table_name }}'
            and status = 'admitted'
            and admission_seq <= {{ last_admission(source_name, table_name) }}
            and admission_seq >= {{ first_admission_that_counts(source_name, table_name) }}
    ) as batch
        on landed._dlt_load_id = batch.load_id
    where not exists (
        select 1
        from {{ source('ops', 'quarantine') }} as quarantine
        where
            quarantine.batch_id = batch.batch_id
            and quarantine.row_id = landed._row_number
    )
) as admitted
{%- set conditions = ['version_rank = 1' if key, 'not is_deleted' if has_deletions and not deletions] | select | list %}
{%- if conditions %}
where
    {{ conditions | join(' and ') }}
{%- endif %}
{%- endif %}
{% endmacro %}

{# The names of the columns of a landed table; none when it does not exist. #}
{% macro landed_columns(relation) %}
    {{ return(adapter.dispatch('landed_columns')(relation)) }}
{% endmacro %}

{% macro default__landed_columns(relation) %}
    {% if not asks_database() %}{{ return([]) }}{% endif %}
    {% set names = [] %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do names.append(column.name | lower) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}

{# information_schema hides what a role may not read, which would pass for a table that was never landed; here it fails. #}
{% macro postgres__landed_columns(relation) %}
    {% if not asks_database() %}{{ return([]) }}{% endif %}
    {% set query %}
        select pg_attribute.attname
        from pg_attribute
        inner join pg_class on pg_attribute.attrelid = pg_class.oid
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        where
            pg_namespace.nspname = '{{ relation.schema }}'
            and pg_class.relname = '{{ relation.identifier }}'
            and pg_attribute.attnum > 0
            and not pg_attribute.attisdropped
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{#
    The newest admission of a table as a number, so that a view keeps seeing what it saw when it was made: of all, or of
    those that the snapshot of `as_of` stands on.
#}
{% macro last_admission(source_name, table_name) %}
    {% if not asks_database() %}{{ return(0) }}{% endif %}
    {% set query %}
        select
            coalesce(max(admission_seq), 0) as admission_seq,
            coalesce(sum(pruned_count), 0) as pruned_count
        from {{ source('ops', 'batches') }}
        where
            source = '{{ source_name }}'
            and table_name = '{{ table_name }}'
            and {{ known_then() }}
    {% endset %}
    {% set found = run_query(query).rows[0] %}
    {% if var('as_of') is not none and found['pruned_count'] > 0 %}
        {{ exceptions.raise_compiler_error(
            "the state as of " ~ var('as_of') ~ " cannot be built: " ~ found['pruned_count'] ~ " rows of "
            ~ source_name ~ "." ~ table_name ~ " were pruned from raw since"
        ) }}
    {% endif %}
    {{ return(found['admission_seq']) }}
{% endmacro %}

{# The newest complete copy of a table without a key: what came before it is no longer so. 0 for every other table. #}
{% macro first_admission_that_counts(source_name, table_name) %}
    {% if not asks_database() %}{{ return(0) }}{% endif %}
    {% set query %}
        select coalesce(max(admission_seq), 0)
        from {{ source('ops', 'batches') }}
        where
            source = '{{ source_name }}'
            and table_name = '{{ table_name }}'
            and is_complete
            and cardinality(key_columns) = 0
            and {{ known_then() }}
    {% endset %}
    {{ return(run_query(query).columns[0].values()[0]) }}
{% endmacro %}

{# Whether a macro may ask the database: not while the project is parsed, nor when it is compiled without one. #}
{% macro asks_database() %}
    {{ return(execute and flags.INTROSPECT) }}
{% endmacro %}
