-- Each incremental fact holds every key of the batches it has taken in since the last snapshot was published: nothing is
-- lost between raw and the star.
{{ config(
    enabled=configured('github') or configured('platform') or configured('saas'),
    meta={'dagster': {'ref': {
        'name': 'fact_user_actions' if configured('github') or configured('platform') else 'fact_support_tickets',
    }}},
) }}

{% set facts = [
    ('fact_user_actions', 'user_action_id', 'stg_github__events', 'event_id'),
    ('fact_user_actions', 'user_action_id', 'stg_platform__events', 'event_key'),
    ('fact_feature_usage', 'usage_id', 'stg_saas__feature_usage', 'usage_id'),
    ('fact_support_tickets', 'ticket_id', 'stg_saas__support_tickets', 'ticket_id'),
    ('fact_churn_events', 'churn_event_id', 'stg_saas__churn_events', 'churn_event_id'),
    ('fact_invoices', 'invoice_id', 'stg_saas__invoices', 'invoice_id'),
    ('fact_opportunities', 'opportunity_id', 'stg_saas__opportunities', 'opportunity_id'),
] %}

{% set built = [] %}
{% for fact in facts if configured(fact[2].split('_')[1]) %}
    {% do built.append(fact) %}
{% endfor %}

{% for fact, fact_key, staging, staging_key in built %}
    select
        '{{ fact }}' as fact_name,
        landed.{{ staging_key }} as lost_key
    from {{ ref(staging) }} as landed
    where
        {{ not_yet_published('landed.admission_seq') }}
        {% if fact == 'fact_user_actions' %}
            and {{ loads_not_yet_published(staging.split('_')[1] ~ '.events') }}
        {% endif %}
        and landed.admission_seq <= (select max(kept.admission_seq) from {{ ref(fact) }} as kept)
        and not exists (
            select 1
            from {{ ref(fact) }} as kept
            where
                kept.{{ fact_key }} = landed.{{ staging_key }}
                and kept.admission_seq >= landed.admission_seq
                -- It follows from the others, and leads to an index.
                and {{ not_yet_published('kept.admission_seq') }}
        )
        {% if fact in ('fact_invoices', 'fact_opportunities') %}
            and not exists (
                select 1
                from {{ ref(staging) }} as gone
                where
                    gone.is_deleted
                    and gone.{{ staging_key }} = landed.{{ staging_key }}
                    and gone.admission_seq >= landed.admission_seq
            )
        {% endif %}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
