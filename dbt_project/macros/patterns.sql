{#
    What reading dates and numbers from text needs on engines without the functions of the schema `ops`: patterns of
    POSIX and Java alike, so without backslashes, which Spark and Redshift take for escapes.
#}

{# Whether a text meets a regular expression. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~ '{{ pattern }}'
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    {{ text }} rlike '{{ pattern }}'
{%- endmacro %}

{# A time of day behind a date, with or without a zone. #}
{% macro time_pattern() -%}
    [T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)? ?(Z|UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?
{%- endmacro %}

{# `31-12-2024` as `2024-12-31`. #}
{% macro iso_day_first(text) -%}
    (substring({{ text }}, 7, 4) || '-' || substring({{ text }}, 4, 2) || '-' || substring({{ text }}, 1, 2))
{%- endmacro %}

{# Whether a text `2024-12-31` names a day that the calendar has: the lengths of months, leap years, no year 0. #}
{% macro is_real_day(text) -%}
    {%- set months = [
        '[0-9]{4}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])',
        '[0-9]{4}-(0[469]|11)-(0[1-9]|[12][0-9]|30)',
        '[0-9]{4}-02-(0[1-9]|1[0-9]|2[0-8])',
        '([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29',
    ] -%}
    {{ matches(text, '^(' ~ months | join('|') ~ ')$') }} and substring({{ text }}, 1, 4) <> '0000'
{%- endmacro %}

{# The moment that a text without a zone names in UTC. #}
{% macro utc_moment(text) -%}
    {{ return(adapter.dispatch('utc_moment')(text)) }}
{%- endmacro %}

{% macro default__utc_moment(text) -%}
    cast({{ text }} as timestamp) at time zone 'UTC'
{%- endmacro %}

{% macro spark__utc_moment(text) -%}
    cast({{ text }} || 'Z' as timestamp)
{%- endmacro %}

{# The type of a number in binary. #}
{% macro type_double() -%}
    {{ return(adapter.dispatch('type_double')()) }}
{%- endmacro %}

{% macro default__type_double() -%}
    double precision
{%- endmacro %}

{% macro spark__type_double() -%}
    double
{%- endmacro %}
