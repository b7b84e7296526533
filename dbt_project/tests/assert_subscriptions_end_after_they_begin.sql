-- A source may say otherwise; such a subscription counts in no month.
{{ config(severity='warn', enabled=configured('saas')) }}

select subscription_id
from {{ ref('fact_subscriptions') }}
where end_date < start_date
