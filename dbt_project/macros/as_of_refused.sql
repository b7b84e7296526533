{#
    A state of the past that cannot be built is refused once, before anything is made of it. Models look again, each for
    itself, when they are compiled alone.
#}

{#
    Before dbt makes the schemas of a build it asks which there are. Hooks of `on-run-start` come after that: they would
    leave empty schemas behind, and unless told otherwise dbt builds the models although such a hook failed.
#}
{% macro list_schemas(database) -%}
    {%- if var('as_of') is not none -%}
        {%- do refuse_what_cannot_be_built() -%}
    {%- endif -%}
    {{ return(adapter.dispatch('list_schemas', 'dbt')(database)) }}
{%- endmacro %}

{# Stops a build as of what was never published, and one whose selected models read rows that are gone from raw. #}
{% macro refuse_what_cannot_be_built() -%}
    {%- set published_by_then = known_then() -%}
    {%- set read = [] -%}
    {%- for id in selected_resources if id in graph.nodes -%}
        {%- for source_id in graph.nodes[id].depends_on.nodes if source_id in graph.sources -%}
            {%- set table = graph.sources[source_id] -%}
            {%- do read.append("('" ~ table.source_name ~ "', '" ~ table.name ~ "')") -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if read -%}
        {%- set query -%}
            select sum(pruned_count) || case sum(pruned_count) when 1 then ' row of ' else ' rows of ' end
                || source || '.' || table_name
            from {{ source('ops', 'batches') }}
            where
                (source, table_name) in ({{ read | unique | sort | join(', ') }})
                and pruned_count > 0
                and {{ published_by_then }}
            group by source, table_name
            order by source, table_name
        {%- endset -%}
        {%- set pruned = run_query(query).columns[0].values() -%}
        {%- if pruned -%}
            {{ exceptions.raise_database_error(
                "the state as of " ~ var('as_of') ~ " cannot be built: " ~ pruned | join(', ')
                ~ " were pruned from raw since"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
