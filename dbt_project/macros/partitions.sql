{#
    Facts that PostgreSQL keeps in one partition for each month: `partition_by` names the day in their config. dbt knows
    no such tables, so its statement that makes a table is replaced here for them, and the incremental strategy `replace`
    puts new versions of rows in the place of old ones, also where they change the month. Other engines know nothing of it.
#}

{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if temporary or not config.get('partition_by') -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- else -%}
        {%- set arrived = make_temp_relation(relation, '__arrived') -%}
        create table {{ relation }}
        {{ get_assert_columns_equivalent(sql) }}
        {{ get_table_columns_and_constraints() }}
        partition by range ({{ adapter.quote(config.get('partition_by')) }});

        create temporary table {{ arrived }} as (
            {{ sql }}
        );

        select {{ partition_call('fill_partitions', relation, arrived) }};
        drop table {{ arrived }};
        {# A unique index that is filled row by row takes twice the time of one that is made at the end. #}
        {%- for constraint in model['constraints'] if constraint.type == 'primary_key' %}
        alter table {{ relation }} add primary key ({{ constraint.columns | map('lower') | join(', ') }});
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_replace_sql(arguments) -%}
    {{ return(adapter.dispatch('get_incremental_replace_sql')(arguments)) }}
{%- endmacro %}

{% macro default__get_incremental_replace_sql(arguments) -%}
    {{ return(get_incremental_delete_insert_sql(arguments)) }}
{%- endmacro %}

{% macro postgres__get_incremental_replace_sql(arguments) -%}
    select {{ partition_call('replace_in_partitions', arguments['target_relation'], arguments['temp_relation']) }}
{%- endmacro %}

{% macro partition_call(function, fact, arrived) -%}
    {%- set key = config.get('unique_key') -%}
    {%- set remembered = config.get('remembered', []) -%}
    ops.{{ function }}(
        '{{ fact }}', '{{ arrived }}', {{ "'" ~ key ~ "'" if key else 'null' }}, '{{ config.get('partition_by') }}',
        cast('{{ '{' ~ remembered | join(',') ~ '}' }}' as text[])
    )
{%- endmacro %}

{#
    The columns of a new table with their constraints. Foreign keys of an incremental model are declared at the end of
    the build instead, and the primary key of a partitioned one when its rows are in.
#}
{% macro postgres__get_table_columns_and_constraints() -%}
    {%- set left_out = [] -%}
    {%- if config.get('materialized') == 'incremental' -%}{% do left_out.append('foreign_key') %}{%- endif -%}
    {%- if config.get('partition_by') -%}{% do left_out.append('primary_key') %}{%- endif -%}
    {%- set kept = [] -%}
    {%- for constraint in model['constraints'] -%}
        {#- A day beyond the calendar is no reason to lose a row. -#}
        {%- if constraint.type not in left_out and 'dim_dates' not in (constraint.to or '') -%}
            {%- do kept.append(constraint) -%}
        {%- endif -%}
    {%- endfor -%}
    (
        {{ (
            adapter.render_raw_columns_constraints(raw_columns=model['columns'])
            + adapter.render_raw_model_constraints(raw_constraints=kept)
        ) | join(', ') }}
    )
{%- endmacro %}
