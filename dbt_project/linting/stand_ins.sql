{#
    Stand-ins by which sqlfluff renders the models without dbt and without a database. dbt never reads this folder.
    They need not be right, only of the same form as what the macro of that name gives on PostgreSQL.
#}

{% macro landed(source_name, table_name, columns, key=none, deletions=false) -%}
select
    1 as admission_seq,
    1 as batch_id,
    1 as _row_number,
    now() as landed_at
    {%- for name in columns %},
    '' as "{{ name }}"
    {%- endfor %}
    {%- if deletions %},
    false as is_deleted
    {%- endif %}
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
{% macro type_boolean() -%} boolean {%- endmacro %}
{% macro type_int() -%} integer {%- endmacro %}
{% macro type_moment() -%} timestamp with time zone {%- endmacro %}
{% macro type_double() -%} double precision {%- endmacro %}
{% macro dateadd(part, number, date) -%} {{ date }} + {{ number }} * interval '1 {{ part }}' {%- endmacro %}
{% macro iso_weekday(date) -%} extract(isodow from {{ date }}) {%- endmacro %}
{% macro month_name(date) -%} to_char({{ date }}, 'FMMonth') {%- endmacro %}
{% macro weekday_name(date) -%} to_char({{ date }}, 'FMDay') {%- endmacro %}
{% macro parse_number(column) -%} cast({{ column }} as numeric) {%- endmacro %}
{% macro days(first, last) -%} select cast('{{ first }}' as date) as date_day {%- endmacro %}

{% macro configured(source_name) -%} true {%- endmacro %}
{% macro not_yet_in(mart, tables=none) -%} true {%- endmacro %}
{% macro loads_not_yet_in(mart, table) -%} true {%- endmacro %}
{% macro not_yet_published(column) -%} true {%- endmacro %}
{% macro known_then() -%} true {%- endmacro %}
{% macro happened_by_then(column) -%} true {%- endmacro %}
{% macro built_mart(mart) -%} marts.{{ mart }} {%- endmacro %}
{% macro replaced_rows(mart) -%} partitions.replaced {%- endmacro %}
{% macro built_together_with(model) -%} {%- endmacro %}
{% macro changed_rows(relation) -%} select * from {{ relation }} {%- endmacro %}
{% macro join_organization_version(organization, day) -%}
left join int_organization_versions as organization_versions
    on {{ organization }} = organization_versions.organization_id
{%- endmacro %}
{% macro organization_key(organization) -%} coalesce(organization_versions.organization_key, md5({{ organization }})) {%- endmacro %}
{% macro move_to_organization_versions(day) -%} {%- endmacro %}
{% macro forget_touched_sessions() -%} {%- endmacro %}
{% macro forget_users_without_actions() -%} {%- endmacro %}
{% macro forget_deleted(rows, key) -%} {%- endmacro %}
{% macro landed_deliveries(source_name, table_name) -%}
select
    1 as admission_seq,
    1 as batch_id,
    '' as delivery_key,
    1 as first_row_number,
    true as is_newest
{%- endmacro %}
{% macro with_delivery(rows, deliveries, columns) -%}
select * from {{ rows }} inner join {{ deliveries }} on {{ rows }}.batch_id = {{ deliveries }}.batch_id
{%- endmacro %}
{% macro joined_texts(column) -%} array_to_string({{ column }}, ', ') {%- endmacro %}
{% macro json_array_items(relation, columns, document, members) -%} select * from {{ relation }} {%- endmacro %}
{% macro fiscal_year_start() -%} 1 {%- endmacro %}
