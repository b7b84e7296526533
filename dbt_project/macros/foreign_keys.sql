{#
    Declares the foreign keys that the models state, at the end of each build, so that BI tools see how the star hangs
    together whichever of its tables was made anew. Those of incremental models are not enforced where PostgreSQL can
    declare that (18 and newer): looking up each row while it is written costs more than writing it, and data tests
    look at the newest rows instead.
#}
{% macro declare_foreign_keys() -%}
    {{ return(adapter.dispatch('declare_foreign_keys')()) }}
{%- endmacro %}

{% macro default__declare_foreign_keys() -%}
{%- endmacro %}

{% macro postgres__declare_foreign_keys() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {#- Before that, every new row is checked; one that names a subscription which has not come is none to lose. -#}
        {%- set checks_all = run_query("show server_version_num").rows[0][0] | int < 180000 -%}
        {%- set wanted = [] -%}
        {%- set models = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- do models.update({node.name: node}) -%}
        {%- endfor -%}
        {%- for node in models.values() -%}
            {%- for constraint in node.constraints if constraint.type == 'foreign_key' -%}
                {%- set target = models[modules.re.findall('[A-Za-z_0-9]+', constraint.to)[-1]] -%}
                {%- set may_miss = node.config.materialized == 'incremental' and target.name.startswith('fact_') -%}
                {%- if not (checks_all and may_miss) %}{% do wanted.append({
                    'name': (node.alias ~ '_' ~ constraint.columns | join('_'))[:58] ~ '_fkey',
                    'table': node.schema ~ '.' ~ node.alias,
                    'columns': constraint.columns | join(', '),
                    'to': target.schema ~ '.' ~ target.alias,
                    'to_columns': constraint.to_columns | join(', '),
                    'checked': node.config.materialized != 'incremental' and target.name != 'dim_dates',
                }) %}{% endif -%}
            {%- endfor -%}
        {%- endfor -%}
        select ops.declare_foreign_keys(cast('{{ tojson(wanted) | replace("'", "''") }}' as jsonb));
        select ops.drop_orphaned_partition_tables()
    {%- endif -%}
{%- endmacro %}
