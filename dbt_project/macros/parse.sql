{#
    What a raw text says: dates, moments, numbers, truth values, members of documents. On PostgreSQL the functions of
    the schema `ops` read them, the same that quality checks with, so that what was admitted can always be read here.
    Text that is no such value is null, never an error. Another engine adds its own `<adapter>__parse_…`.
#}

{# The text itself without surrounding blanks; null when nothing is left. #}
{% macro parse_text(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}

{% macro parse_date(column) -%}
    {{ return(adapter.dispatch('parse_date')(column)) }}
{%- endmacro %}

{% macro postgres__parse_date(column) -%}
    ops.parse_date({{ column }})
{%- endmacro %}

{% macro parse_timestamp(column) -%}
    {{ return(adapter.dispatch('parse_timestamp')(column)) }}
{%- endmacro %}

{% macro postgres__parse_timestamp(column) -%}
    ops.parse_timestamp({{ column }})
{%- endmacro %}

{% macro parse_number(column) -%}
    {{ return(adapter.dispatch('parse_number')(column)) }}
{%- endmacro %}

{% macro postgres__parse_number(column) -%}
    ops.parse_number({{ column }})
{%- endmacro %}

{% macro parse_boolean(column) -%}
    {{ return(adapter.dispatch('parse_boolean')(column)) }}
{%- endmacro %}

{% macro postgres__parse_boolean(column) -%}
    ops.parse_boolean({{ column }})
{%- endmacro %}

{# A whole number; null when it does not fit a bigint, instead of failing the build. #}
{% macro parse_integer(column) -%}
    cast(case when abs({{ parse_number(column) }}) < 9e18 then {{ parse_number(column) }} end as {{ type_bigint() }})
{%- endmacro %}

{# Money and other amounts with two decimals; null when it does not fit, instead of failing the build. #}
{% macro parse_amount(column) -%}
    cast(case when abs({{ parse_number(column) }}) < 1e15 then {{ parse_number(column) }} end as numeric(18, 2))
{%- endmacro %}

{# The member of a JSON object as text. #}
{% macro json_text(column, member) -%}
    {{ return(adapter.dispatch('json_text')(column, member)) }}
{%- endmacro %}

{# json, not jsonb: jsonb refuses a whole document for one escaped null byte in a member nobody reads. #}
{% macro postgres__json_text(column, member) -%}
    nullif(trim(cast({{ column }} as json) ->> '{{ member }}'), '')
{%- endmacro %}

{# The UTC day of a moment. #}
{% macro utc_date(column) -%}
    {{ return(adapter.dispatch('utc_date')(column)) }}
{%- endmacro %}

{% macro postgres__utc_date(column) -%}
    cast({{ column }} at time zone 'UTC' as date)
{%- endmacro %}
