{#
    The descriptions of a relation and its columns, all in one statement. dbt's own macro asks the database twice which
    columns there are; here the model's YAML says so.
#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- for column in model.columns.values() if for_columns and config.persist_column_docs() -%}
        {%- set comment = postgres_escape_comment(column.description) -%}
        {%- do comments.append('comment on column ' ~ relation ~ '.' ~ adapter.quote(column.name) ~ ' is ' ~ comment ~ ';') -%}
    {%- endfor -%}
    {%- if comments -%}
        {%- call statement('persist_docs') -%}{{ comments | join('\n') }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}
