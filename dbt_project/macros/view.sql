{#
    A view is dropped and made again in one transaction, which PostgreSQL does as a whole or not at all. dbt's own way, made
    for engines that cannot, renames two of them for each view.
#}
{% materialization view, adapter='postgres' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set view = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
        drop {{ existing.type | replace('_', ' ') if existing is not none else 'view' }} if exists {{ view }} cascade;
        {{ get_create_view_as_sql(view, sql) }}
    {%- endcall %}
    {#- What stood on it went with it, and dbt is to look for none of that. -#}
    {%- if existing is not none -%}{%- do adapter.cache_dropped(existing) -%}{%- endif -%}
    {%- do persist_docs(view, model) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [view]}) }}
{%- endmaterialization %}
