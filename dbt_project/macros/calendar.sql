{# Days and their names in words that every engine has; what an engine's own `to_char` says depends on its settings. #}

{#
    One row per day from the first to the last, `date_day`, both written `YYYY-MM-DD`. dbt's own `date_spine` asks the
    warehouse how many they are, which a project that is compiled without one cannot.
#}
{% macro days(first_day, last_day) -%}
    {%- set first = modules.datetime.datetime.strptime(first_day, '%Y-%m-%d') -%}
    {%- set last = modules.datetime.datetime.strptime(last_day, '%Y-%m-%d') -%}
    {%- set dated = dateadd('day', 'cast(generated_number as integer) - 1', "cast('" ~ first_day ~ "' as date)") -%}
    select cast({{ dated }} as date) as date_day
    from (
        {{ generate_series((last - first).days + 1) }}
    ) as numbered
{%- endmacro %}

{# 1 for Monday to 7 for Sunday. #}
{% macro iso_weekday(day) -%}
    {{ datediff('cast(' ~ date_trunc('week', day) ~ ' as date)', day, 'day') }} + 1
{%- endmacro %}

{# The English name of a day's month. #}
{% macro month_name(day) -%}
    case cast(extract(month from {{ day }}) as integer)
        {%- for name in [
            'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November',
            'December',
        ] %}
        when {{ loop.index }} then '{{ name }}'
        {%- endfor %}
    end
{%- endmacro %}

{# The English name of a day of the week. #}
{% macro weekday_name(day) -%}
    case {{ iso_weekday(day) }}
        {%- for name in ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
        when {{ loop.index }} then '{{ name }}'
        {%- endfor %}
    end
{%- endmacro %}

{# The month in which a fiscal year begins, 1 to 12, as the var `fiscal_year_start_month` says. #}
{% macro fiscal_year_start() -%}
    {%- set month = var('fiscal_year_start_month') | int -%}
    {%- if not 1 <= month <= 12 -%}
        {{ exceptions.raise_compiler_error("fiscal_year_start_month is a month, 1 to 12, not " ~ month) }}
    {%- endif -%}
    {{ return(month) }}
{%- endmacro %}

{# dbt's own counts in whole seconds there, so that half an hour after a moment could be a second too early. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, {{ from_date_or_timestamp }})
{%- endmacro %}
