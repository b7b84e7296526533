-- Organizations that subscriptions, tickets or churn events name but whose account has not arrived: their industry and
-- country are missing from every answer. Organizations of the event log alone have no account by nature.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'dim_organizations'}}}) }}

with named as (
    select organization_id from {{ ref('fact_subscriptions') }}

    union

    select organization_id from {{ ref('fact_support_tickets') }}

    union

    select organization_id from {{ ref('fact_churn_events') }}
)

select organizations.organization_id
from {{ ref('dim_organizations') }} as organizations
inner join named on organizations.organization_id = named.organization_id
where not organizations.has_account
