-- Usage whose subscription has not arrived belongs to nobody until it does.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'fact_feature_usage'}}}) }}

select usage_records.usage_id
from {{ ref('fact_feature_usage') }} as usage_records
where
    usage_records.organization_id = '(unknown)'
    and not exists (
        select 1
        from {{ ref('fact_subscriptions') }} as subscriptions
        where subscriptions.subscription_id = usage_records.subscription_id
    )
