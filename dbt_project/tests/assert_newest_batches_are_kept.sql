-- Each incremental fact holds every key of the newest batch it has taken in: nothing is lost between raw and the star.
{{ config(
    enabled=configured('github') or configured('saas'),
    meta={'dagster': {'ref': {'name': 'fact_user_actions' if configured('github') else 'fact_support_tickets'}}},
) }}

{% set facts = [
    ('fact_user_actions', 'user_action_id', 'admission_seq', 'stg_github__events', 'event_id'),
    ('fact_feature_usage', 'usage_id', 'usage_admission_seq', 'stg_saas__feature_usage', 'usage_id'),
    ('fact_support_tickets', 'ticket_id', 'admission_seq', 'stg_saas__support_tickets', 'ticket_id'),
    ('fact_churn_events', 'churn_event_id', 'admission_seq', 'stg_saas__churn_events', 'churn_event_id'),
    ('fact_invoices', 'invoice_id', 'invoice_admission_seq', 'stg_saas__invoices', 'invoice_id'),
    ('fact_opportunities', 'opportunity_id', 'admission_seq', 'stg_saas__opportunities', 'opportunity_id'),
] %}

{% set built = [] %}
{% for fact in facts if configured(fact[3].split('_')[1]) %}
    {% do built.append(fact) %}
{% endfor %}

{% for fact, fact_key, watermark, staging, staging_key in built %}
    select
        '{{ fact }}' as fact_name,
        landed.{{ staging_key }} as lost_key
    from {{ ref(staging) }} as landed
    where
        landed.admission_seq = (select max(kept.{{ watermark }}) from {{ ref(fact) }} as kept)
        and not exists (
            select 1
            from {{ ref(fact) }} as kept
            where
                kept.{{ fact_key }} = landed.{{ staging_key }}
                and kept.{{ watermark }} >= landed.admission_seq
        )
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
