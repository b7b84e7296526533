{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='invoice_id',
    pre_hook=[
        "{{ forget_deleted(ref('stg_saas__invoices'), 'invoice_id') }}",
        "{{ move_to_organization_versions('issued_date') }}",
    ],
    indexes=[
        {'columns': ['admission_seq']},
        {'columns': ['subscription_id', 'plan_id']},
        {'columns': ['organization_id', 'issued_date']},
    ],
) }}

with versions as (
    select
        *,
        row_number() over (partition by invoice_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__invoices') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_deduplicated') }}
),

{% if is_incremental() %}
    -- A subscription that arrived after its invoices, or that moved to another plan. All invoices of one subscription
    -- are resolved together, so the index's first entry of each tells, and history is not read for it.
    moved_subscriptions as (
        select subscription_id
        from (
            select
                subscriptions.subscription_id,
                subscriptions.plan_id,
                (
                    select min(known.plan_id)
                    from {{ this }} as known
                    where known.subscription_id = subscriptions.subscription_id
                ) as known_plan_id
            from subscriptions
        ) as compared
        where known_plan_id != plan_id
    ),
{% endif %}

invoices as (
    select
        invoice_id,
        coalesce(account_id, '(unknown)') as organization_id,
        subscription_id,
        issued_date,
        due_date,
        paid_date,
        status,
        subtotal_usd,
        tax_usd,
        total_usd,
        admission_seq
    from versions
    where
        version_rank = 1
        and is_deleted is not true

    {% if is_incremental() %}
        union all

        select
            known.invoice_id,
            known.organization_id,
            known.subscription_id,
            known.issued_date,
            known.due_date,
            known.paid_date,
            known.status,
            known.subtotal_usd,
            known.tax_usd,
            known.total_usd,
            known.admission_seq
        from {{ this }} as known
        inner join moved_subscriptions on known.subscription_id = moved_subscriptions.subscription_id
        left join versions on known.invoice_id = versions.invoice_id
        where versions.invoice_id is null
    {% endif %}
),

resolved as (
    select
        invoices.*,
        coalesce(subscriptions.plan_id, '(unknown)') as plan_id
    from invoices
    left join subscriptions on invoices.subscription_id = subscriptions.subscription_id
),

final as (
    select
        resolved.invoice_id,
        {{ organization_key('resolved.organization_id') }} as organization_key,
        resolved.organization_id,
        {{ surrogate_key(['resolved.subscription_id']) }} as subscription_key,
        resolved.subscription_id,
        {{ surrogate_key(['resolved.plan_id']) }} as plan_key,
        resolved.plan_id,
        resolved.issued_date,
        resolved.due_date,
        resolved.paid_date,
        {{ datediff('resolved.issued_date', 'resolved.paid_date', 'day') }} as days_to_pay,
        resolved.status,
        resolved.subtotal_usd,
        resolved.tax_usd,
        resolved.total_usd,
        resolved.admission_seq
    from resolved
    {{ join_organization_version('resolved.organization_id', 'resolved.issued_date') }}
)

select * from final
