{#
    What Redshift needs otherwise than PostgreSQL, whose macros it inherits: dbt looks for a `postgres__` macro of this
    project before it looks for one of the adapter's own, so each of ours that is not for Redshift is given back here.
#}

{# dbt's own word, `text`, is a varchar of 256 characters there, and a cast to it cuts off the rest. #}
{% macro redshift__type_string() -%}
    varchar(65535)
{%- endmacro %}

{% macro redshift__create_table_as(temporary, relation, sql) -%}
    {{ return(dbt_redshift.redshift__create_table_as(temporary, relation, sql)) }}
{%- endmacro %}

{% macro redshift__get_table_columns_and_constraints() -%}
    {{ return(dbt.default__get_table_columns_and_constraints()) }}
{%- endmacro %}

{% macro redshift__get_incremental_replace_sql(arguments) -%}
    {{ return(default__get_incremental_replace_sql(arguments)) }}
{%- endmacro %}

{# Redshift keeps no partitions and enforces no key; what dbt writes into the table is all there is. #}
{% macro redshift__declare_foreign_keys() -%}
{%- endmacro %}

{% macro redshift__landed_columns(relation) -%}
    {{ return(default__landed_columns(relation)) }}
{%- endmacro %}

{% macro redshift__replaced_rows(mart) -%}
    {{ return(none) }}
{%- endmacro %}

{% macro redshift__protect() -%}
{%- endmacro %}

{% macro redshift__finish_mart() -%}
{%- endmacro %}

{% macro redshift__persist_docs(relation, model, for_relation, for_columns) -%}
    {{ return(dbt.default__persist_docs(relation, model, for_relation, for_columns)) }}
{%- endmacro %}

{% macro redshift__same_columns(source_relation, target_relation) -%}
    {{ return(default__same_columns(source_relation, target_relation)) }}
{%- endmacro %}
