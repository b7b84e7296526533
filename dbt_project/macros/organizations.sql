{#
    Which version of an organization a fact belongs to: the one in force when the fact's day ended. The first version of
    an organization is known by its id alone, so that most facts need no lookup and none waits for its organization.
#}

{# The join that finds the later versions; the organization and the day are expressions of the fact. #}
{% macro join_organization_version(organization, day) -%}
    {%- if configured('saas') -%}
    left join {{ ref('int_organization_versions') }} as organization_versions
        on
            {{ organization }} = organization_versions.organization_id
            and organization_versions.version_number > 1
            and {{ day }} >= organization_versions.first_date
            and {{ day }} < organization_versions.end_date
    {%- endif -%}
{%- endmacro %}

{# The key of that version, in dim_organizations. #}
{% macro organization_key(organization) -%}
    {%- if configured('saas') -%}
    coalesce(organization_versions.organization_key, {{ surrogate_key([organization]) }})
    {%- else -%}
    {{ surrogate_key([organization]) }}
    {%- endif -%}
{%- endmacro %}

{#
    Before an incremental fact takes what is new: its rows that a version which came since belongs to. A version holds
    from the day it landed, so few rows are so late that it is theirs. Their admission stays: it is that of their own
    batch, by which the fact knows what it has taken.
#}
{% macro move_to_organization_versions(day) -%}
    {%- if execute and is_incremental() and configured('saas') -%}
    {%- do versions_are_built() -%}
    merge into {{ this }} as facts
    using (
        select
            organization_id,
            organization_key,
            first_date,
            end_date
        from {{ ref('int_organization_versions') }}
        where
            version_number > 1
            and admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    ) as organization_versions
        on
            facts.organization_id = organization_versions.organization_id
            and facts.{{ day }} >= organization_versions.first_date
            and facts.{{ day }} < organization_versions.end_date
            and facts.organization_key <> organization_versions.organization_key
    when matched then update set organization_key = organization_versions.organization_key
    {%- elif configured('saas') and not execute -%}
    -- depends on {{ ref('int_organization_versions') }} {{ ref('stg_ops__batches') }}
    {%- endif -%}
{%- endmacro %}

{# Stops a fact that would go past versions which have landed and are not built: it would not look for them again. #}
{% macro versions_are_built() -%}
    {%- if var('as_of') is none and 'model.datainsight.int_organization_versions' not in selected_resources -%}
        {%- set behind -%}
            select max(admission_seq)
            from {{ ref('stg_ops__batches') }}
            where
                source_name = 'saas'
                and table_name = 'accounts'
                and row_count > quarantined_count
                and admission_seq > (
                    select coalesce(max(seen_admission_seq), 0) from {{ ref('int_organization_versions') }}
                )
        {%- endset -%}
        {%- if run_query(behind).rows[0][0] is not none -%}
            {{ exceptions.raise_compiler_error(
                "organizations have changed since int_organization_versions was built, which is not among the selected"
                ~ " models; select +" ~ this.identifier
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
