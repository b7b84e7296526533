{#
    What a raw text says: dates, moments, numbers, truth values, members of documents. On PostgreSQL the functions of
    the schema `ops` read them, the same that quality checks with, so that what was admitted can always be read here.
    Text that is no such value is null, never an error. Another engine has no such functions, so there the rules are
    written out; how an engine compares with a pattern and makes a moment is all that it must say itself.
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

{% macro redshift__parse_date(column) -%}
    {{ return(default__parse_date(column)) }}
{%- endmacro %}

{# A date of a moment is its date as written; a day that no month has is null. #}
{% macro default__parse_date(column) -%}
    {%- set said = 'trim(' ~ column ~ ')' -%}
    {%- set written = iso_day_first(said) -%}
    {%- set clock = '[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)? ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?' -%}
    case
        when {{ matches(said, '^[0-9]{4}-[0-9]{2}-[0-9]{2}(' ~ clock ~ ')?$') }}
            and {{ is_real_day('substring(' ~ said ~ ', 1, 10)') }}
            then cast(substring({{ said }}, 1, 10) as date)
        when {{ matches(said, '^[0-9]{2}-[0-9]{2}-[0-9]{4}$') }} and {{ is_real_day(written) }}
            then cast({{ written }} as date)
    end
{%- endmacro %}

{% macro parse_timestamp(column) -%}
    {{ return(adapter.dispatch('parse_timestamp')(column)) }}
{%- endmacro %}

{% macro postgres__parse_timestamp(column) -%}
    ops.parse_timestamp({{ column }})
{%- endmacro %}

{% macro redshift__parse_timestamp(column) -%}
    {{ return(default__parse_timestamp(column)) }}
{%- endmacro %}

{# A moment without a zone is UTC, whatever the session's own zone. #}
{% macro default__parse_timestamp(column) -%}
    {%- set said = 'trim(' ~ column ~ ')' -%}
    {%- set written = iso_day_first(said) ~ " || ' ' || coalesce(nullif(substring(" ~ said ~ ", 12), ''), '00:00')" -%}
    case
        when {{ matches(said, '^[0-9]{4}-[0-9]{2}-[0-9]{2}' ~ time_pattern() ~ '$') }}
            and {{ is_real_day('substring(' ~ said ~ ', 1, 10)') }}
            then case
                when {{ matches(said, '(Z|UTC|:[0-9]{2}([.][0-9]+)? ?[+-][0-9]{2}(:?[0-9]{2})?)$') }}
                    then cast({{ said }} as {{ type_moment() }})
                else {{ utc_moment(said) }}
            end
        when {{ matches(said, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') }} and {{ is_real_day(said) }}
            then {{ utc_moment(said ~ " || ' 00:00'") }}
        when {{ matches(said, '^[0-9]{2}-[0-9]{2}-[0-9]{4}( ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)?$') }}
            and {{ is_real_day(iso_day_first(said)) }}
            then {{ utc_moment(written) }}
    end
{%- endmacro %}

{% macro parse_number(column) -%}
    {{ return(adapter.dispatch('parse_number')(column)) }}
{%- endmacro %}

{% macro postgres__parse_number(column) -%}
    ops.parse_number({{ column }})
{%- endmacro %}

{% macro redshift__parse_number(column) -%}
    {{ return(default__parse_number(column)) }}
{%- endmacro %}

{#
    Other engines have no number without limits, so what is larger than 28 digits before the point is null, and digits
    after the tenth behind it are rounded. A number with an exponent goes through a double, which all of them read.
#}
{% macro default__parse_number(column) -%}
    {%- set said = 'trim(' ~ column ~ ')' -%}
    {%- set exact = 'decimal(38, 10)' -%}
    case
        when length({{ column }}) > 100
            then null
        when {{ matches(said, '^[+-]?([0-9]{1,28}([.][0-9]*)?|[.][0-9]+)$') }}
            then cast({{ said }} as {{ exact }})
        when {{ matches(said, '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)[eE][+-]?[0-9]{1,2}$') }}
            and abs(cast({{ said }} as {{ type_double() }})) < 1e27
            then cast(cast({{ said }} as {{ type_double() }}) as {{ exact }})
    end
{%- endmacro %}

{% macro parse_boolean(column) -%}
    {{ return(adapter.dispatch('parse_boolean')(column)) }}
{%- endmacro %}

{% macro postgres__parse_boolean(column) -%}
    ops.parse_boolean({{ column }})
{%- endmacro %}

{% macro redshift__parse_boolean(column) -%}
    {{ return(default__parse_boolean(column)) }}
{%- endmacro %}

{% macro default__parse_boolean(column) -%}
    case
        when lower(trim({{ column }})) in ('true', 't', 'yes', 'y', '1') then true
        when lower(trim({{ column }})) in ('false', 'f', 'no', 'n', '0') then false
    end
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

{# The last argument makes text that is no document null instead of an error. #}
{% macro redshift__json_text(column, member) -%}
    nullif(trim(json_extract_path_text({{ column }}, '{{ member }}', true)), '')
{%- endmacro %}

{% macro spark__json_text(column, member) -%}
    nullif(trim(get_json_object({{ column }}, '$.{{ member }}')), '')
{%- endmacro %}

{# The UTC day of a moment. #}
{% macro utc_date(column) -%}
    {{ return(adapter.dispatch('utc_date')(column)) }}
{%- endmacro %}

{% macro postgres__utc_date(column) -%}
    cast({{ column }} at time zone 'UTC' as date)
{%- endmacro %}

{# Spark shows every moment in the session's zone. #}
{% macro spark__utc_date(column) -%}
    cast(to_utc_timestamp({{ column }}, current_timezone()) as date)
{%- endmacro %}
