{# What the ledger tells of a day that is gone and has no admission: it had happened by then, or it had not. #}

{# The condition that keeps what had happened, by a column that says when, at the moment of `as_of`; everything today. #}
{% macro happened_by_then(column) -%}
    {%- if var('as_of') is none -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return(column ~ " <= cast('" ~ as_of_moment() ~ "' as " ~ type_moment() ~ ")") }}
{%- endmacro %}

{# That moment: when the snapshot was published, or the time that is said. #}
{% macro as_of_moment() -%}
    {%- if not asks_database() -%}{{ return('1970-01-01 00:00:00+00') }}{%- endif -%}
    {%- set said = var('as_of') | string | trim -%}
    {#- It stops a build as of what never was. -#}
    {%- do as_of_admission() -%}
    {%- set query -%}
        {% if is_snapshot_number(said) -%}
            select cast(published_at as {{ type_string() }})
            from {{ source('ops', 'snapshots') }}
            where snapshot_id = {{ said }}
        {%- else -%}
            select cast(ops.parse_timestamp('{{ said | replace("'", "''") }}') as {{ type_string() }})
        {%- endif %}
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro %}
