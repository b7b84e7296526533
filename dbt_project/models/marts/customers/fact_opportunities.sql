{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='opportunity_id',
    pre_hook=[
        "{{ forget_deleted(ref('stg_saas__opportunities'), 'opportunity_id') }}",
        "{{ move_to_organization_versions('created_date') }}",
    ],
    indexes=[{'columns': ['admission_seq']}, {'columns': ['organization_id', 'created_date']}],
) }}

with versions as (
    select
        *,
        row_number() over (partition by opportunity_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__opportunities') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

opportunities as (
    select
        *,
        coalesce(account_id, '(unknown)') as organization_id
    from versions
    where
        version_rank = 1
        and is_deleted is not true
),

final as (
    select
        opportunities.opportunity_id,
        {{ surrogate_key(['opportunities.organization_id']) }} as account_key,
        opportunities.organization_id as account_id,
        {{ organization_key('opportunities.organization_id') }} as organization_key,
        opportunities.organization_id,
        opportunities.kind,
        opportunities.stage,
        opportunities.amount_usd,
        opportunities.probability,
        opportunities.created_date,
        opportunities.closed_date,
        coalesce(opportunities.is_won, false) as is_won,
        coalesce(opportunities.is_closed, false) as is_closed,
        opportunities.owner_id,
        opportunities.admission_seq
    from opportunities
    {{ join_organization_version('opportunities.organization_id', 'opportunities.created_date') }}
)

select * from final
