-- Each incremental fact holds every key of the newest batch it has taken in: nothing is lost between raw and the star.
{{ config(meta={'dagster': {'ref': {'name': 'fact_user_actions'}}}) }}

{% set facts = [
    ('fact_user_actions', 'user_action_id', 'admission_seq', 'stg_github__events', 'event_id'),
    ('fact_feature_usage', 'usage_id', 'usage_admission_seq', 'stg_saas__feature_usage', 'usage_id'),
    ('fact_support_tickets', 'ticket_id', 'admission_seq', 'stg_saas__support_tickets', 'ticket_id'),
    ('fact_churn_events', 'churn_event_id', 'admission_seq', 'stg_saas__churn_events', 'churn_event_id'),
] %}

{% for fact, fact_key, watermark, staging, staging_key in facts %}
    select
        '{{ fact }}' as fact_name,
        landed.{{ staging_key }} as lost_key
    from {{ ref(staging) }} as landed
    where
        landed.admission_seq = (select max(kept.{{ watermark }}) from {{ ref(fact) }} as kept)
        and not exists (
            select 1
            from {{ ref(fact) }} as kept
            where kept.{{ fact_key }} = landed.{{ staging_key }}
        )
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
