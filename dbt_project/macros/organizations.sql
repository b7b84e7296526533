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

{# The newest admission a fact stands on: its own, or that of the version it belongs to. #}
{% macro with_organization_version(admission_seq) -%}
    {%- if configured('saas') -%}
    greatest({{ admission_seq }}, coalesce(organization_versions.admission_seq, 0))
    {%- else -%}
    {{ admission_seq }}
    {%- endif -%}
{%- endmacro %}

{#
    Before an incremental fact takes what is new: its rows that a version which came since belongs to. A version holds
    from the day it landed, so few rows are so late that it is theirs.
#}
{% macro move_to_organization_versions(day) -%}
    {%- if execute and is_incremental() and configured('saas') -%}
    merge into {{ this }} as facts
    using (
        select
            organization_id,
            organization_key,
            first_date,
            end_date,
            admission_seq
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
    when matched then update set
        organization_key = organization_versions.organization_key,
        admission_seq = greatest(facts.admission_seq, organization_versions.admission_seq)
    {%- elif configured('saas') and not execute -%}
    -- depends on {{ ref('int_organization_versions') }}
    {%- endif -%}
{%- endmacro %}
