{#
    Stand-ins by which sqlfluff renders the models without dbt and without a database. dbt never reads this folder.
    They need not be right, only of the same form as what the macro of that name gives on PostgreSQL.
#}

{% macro landed(source_name, table_name, columns, key=none) -%}
select
    1 as admission_seq,
    1 as batch_id,
    1 as _row_number
    {%- for name in columns %},
    '' as "{{ name }}"
    {%- endfor %}
{%- endmacro %}

{% macro parse_text(column) -%} nullif(trim({{ column }}), '') {%- endmacro %}
{% macro parse_date(column) -%} ops.parse_date({{ column }}) {%- endmacro %}
{% macro parse_timestamp(column) -%} ops.parse_timestamp({{ column }}) {%- endmacro %}
{% macro parse_boolean(column) -%} ops.parse_boolean({{ column }}) {%- endmacro %}
{% macro parse_integer(column) -%} cast({{ column }} as bigint) {%- endmacro %}
{% macro parse_amount(column) -%} cast({{ column }} as numeric(18, 2)) {%- endmacro %}
{% macro json_text(column, member) -%} cast({{ column }} as json) ->> '{{ member }}' {%- endmacro %}
{% macro utc_date(column) -%} cast({{ column }} at time zone 'UTC' as date) {%- endmacro %}
{% macro surrogate_key(columns) -%} md5({{ columns | join(' || ') }}) {%- endmacro %}

{% macro date_trunc(part, date) -%} date_trunc('{{ part }}', {{ date }}) {%- endmacro %}
{% macro last_day(date, part) -%} date_trunc('{{ part }}', {{ date }}) {%- endmacro %}
{% macro datediff(first, second, part) -%} {{ second }} - {{ first }} {%- endmacro %}
{% macro split_part(text, delimiter, part) -%} split_part({{ text }}, {{ delimiter }}, {{ part }}) {%- endmacro %}
{% macro date_spine(part, start, end) -%} select {{ start }} as date_{{ part }} {%- endmacro %}
{% macro type_bigint() -%} bigint {%- endmacro %}
{% macro type_string() -%} text {%- endmacro %}
