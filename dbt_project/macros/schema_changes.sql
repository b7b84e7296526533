{#
    Whether what arrived has the columns of its table: one short question, and only when it has not, dbt's own two, which
    stop the build and say what differs.
#}
{% macro process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {%- set columns = adapter.dispatch('same_columns')(source_relation, target_relation) -%}
    {{ return(columns or dbt.process_schema_changes(on_schema_change, source_relation, target_relation)) }}
{%- endmacro %}

{% macro default__same_columns(source_relation, target_relation) -%}
    {{ return([]) }}
{%- endmacro %}

{# The columns of both, if they have the same names and types; none otherwise. #}
{% macro postgres__same_columns(source_relation, target_relation) -%}
    {%- set with_types = "select array_agg(attname || ' ' || format_type(atttypid, atttypmod) order by attname)" -%}
    {%- set of_relation -%}
        from pg_attribute where attnum > 0 and not attisdropped and attrelid = cast('
    {%- endset -%}
    {%- set of_source = of_relation ~ source_relation ~ "' as regclass)" -%}
    {%- set of_target = of_relation ~ target_relation ~ "' as regclass)" -%}
    {%- set query -%}
        select attname {{ of_target }} and ({{ with_types }} {{ of_source }}) = ({{ with_types }} {{ of_target }})
        order by attnum
    {%- endset -%}
    {%- set columns = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do columns.append(api.Column(row[0], none)) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
