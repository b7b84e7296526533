-- Invoices whose subscription has not arrived are on no plan until it does.
{{ config(severity='warn', enabled=configured('saas'), meta={'dagster': {'ref': {'name': 'fact_invoices'}}}) }}

select invoices.invoice_id
from {{ ref('fact_invoices') }} as invoices
where
    invoices.subscription_id is not null
    and not exists (
        select 1
        from {{ ref('int_subscriptions_deduplicated') }} as subscriptions
        where subscriptions.subscription_id = invoices.subscription_id
    )
