{#
    The star as it was: `--vars 'as_of: 12'` builds it as snapshot 12 was published, `--vars 'as_of: 2026-01-31 18:00'` as
    the snapshot that was served at that time, each into schemas of its own, from raw alone.
#}

{#
    What the schemas of such a build end with; nothing for the star of today. A time is followed by its digest, since
    `18:00+02`, `18:00-02` and `18:00:02` are the same letters and digits.
#}
{% macro as_of_suffix() -%}
    {%- if var('as_of') is none -%}
        {{ return('') }}
    {%- endif -%}
    {%- set said = var('as_of') | string | trim -%}
    {%- if is_snapshot_number(said) -%}
        {{ return('_as_of_' ~ said) }}
    {%- endif -%}
    {%- set slug = modules.re.sub('[^0-9a-z]+', '_', said | lower).strip('_') -%}
    {{ return('_as_of_' ~ slug[:32] ~ '_' ~ local_md5(said)[:8]) }}
{%- endmacro %}

{# Whether `as_of` says a snapshot's number; else it says a time. #}
{% macro is_snapshot_number(said) -%}
    {{ return(modules.re.fullmatch('[0-9]{1,18}', said) is not none) }}
{%- endmacro %}

{# The condition on the ledger that keeps the batches which that snapshot stands on; all of them today. #}
{% macro known_then() -%}
    {%- if var('as_of') is none -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return('admission_seq <= ' ~ as_of_admission()) }}
{%- endmacro %}

{# The newest admission behind the snapshot of `as_of`. #}
{% macro as_of_admission() -%}
    {%- if not asks_database() -%}{{ return(0) }}{%- endif -%}
    {%- set said = var('as_of') | string | trim -%}
    {%- set query -%}
        select admission_seq
        from {{ source('ops', 'snapshots') }}
        {% if is_snapshot_number(said) -%}
            where snapshot_id = {{ said }}
        {%- else -%}
            where published_at <= ops.parse_timestamp('{{ said | replace("'", "''") }}')
            order by snapshot_id desc
            limit 1
        {%- endif %}
    {%- endset -%}
    {%- set found = run_query(query).rows -%}
    {%- if found | length == 0 -%}
        {%- set published -%}
            select
                min(snapshot_id),
                max(snapshot_id),
                cast(min(published_at) at time zone 'UTC' as {{ type_string() }})
            from {{ source('ops', 'snapshots') }}
        {%- endset -%}
        {%- set first, last, since = run_query(published).rows[0] -%}
        {#- Not a compiler's error: to those, dbt adds a line for each macro on the way. -#}
        {{ exceptions.raise_database_error(
            "as_of: " ~ said ~ " is no published snapshot; " ~ (
                "nothing has been published yet" if first is none else
                "say a number, " ~ first ~ " to " ~ last ~ ", or a time from " ~ since ~ " on, in UTC"
            )
        ) }}
    {%- endif -%}
    {{ return(found[0][0]) }}
{%- endmacro %}
