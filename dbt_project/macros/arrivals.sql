{#
    What has arrived since a fact was last built, for the models that are built before it: its dimensions must know what
    it is about to name. The fact itself takes the same rows, so nothing falls between two builds when one fails.
#}

{# The condition on `admission_seq` that keeps the rows which a mart has not taken yet; all of them before its first build. #}
{% macro not_yet_in(mart) -%}
    {%- set known = built_mart(mart) -%}
    {%- if known is none -%}
        true
    {%- else -%}
        admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ known }} as known)
    {%- endif -%}
{%- endmacro %}

{#
    The condition that keeps the rows whose batch no snapshot has published: what was published has been tested before.
    A build of everything anew, or as of another time, tests everything.
#}
{% macro not_yet_published(column) -%}
    {%- if flags.FULL_REFRESH or var('as_of') is not none -%}
        true
    {%- else -%}
        {{ column }} > (
            select coalesce(max(snapshots.admission_seq), 0) from {{ source('ops', 'snapshots') }} as snapshots
        )
    {%- endif -%}
{%- endmacro %}

{# The relation of a mart that is there and stays; none where it is about to be made anew. #}
{% macro built_mart(mart) -%}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return(none) }}{%- endif -%}
    {%- set schema = 'marts' ~ as_of_suffix() -%}
    {%- if not asks_database() -%}
        {#- Compiled without a database, a mart is taken to be there, so that the whole statement is compiled. -#}
        {{ return(api.Relation.create(database=this.database, schema=schema, identifier=mart)) }}
    {%- endif -%}
    {{ return(adapter.get_relation(database=this.database, schema=schema, identifier=mart)) }}
{%- endmacro %}

{# Stops a fact that would be made anew from what only arrived last. #}
{% macro built_together_with(model_name) -%}
    {%- if execute and not is_incremental() and 'model.datainsight.' ~ model_name not in selected_resources -%}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ " is made anew from " ~ model_name ~ ", which is not among the selected models;"
            ~ " select +" ~ this.identifier
        ) }}
    {%- endif -%}
{%- endmacro %}

{# Where the former values of a fact's replaced rows are kept; none where nothing keeps them. #}
{% macro replaced_rows(mart) -%}
    {{ return(adapter.dispatch('replaced_rows')(mart)) }}
{%- endmacro %}

{% macro default__replaced_rows(mart) -%}
    {{ return(none) }}
{%- endmacro %}

{% macro postgres__replaced_rows(mart) -%}
    {%- set known = built_mart(mart) -%}
    {%- if known is none or not asks_database() -%}{{ return(none) }}{%- endif -%}
    {%- set query -%}
        select to_regclass('partitions.replaced_' || cast('{{ known }}' as regclass)::oid)
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro %}
