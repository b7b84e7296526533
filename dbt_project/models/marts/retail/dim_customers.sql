{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='customer_key',
) }}

-- A customer moves now and then: what was said last counts, in the order of admission. Who is behind the lines without
-- a customer is not known, so the country that they state is nobody's.
with said as (
    select
        customer_key,
        organization_id,
        customer_id,
        case when customer_id != '(unknown)' then country end as country,
        admission_seq,
        _row_number
    from {{ ref('int_invoice_lines_arrived') }}

    union all

    select
        {{ surrogate_key(["'online_retail'", "'(unknown)'"]) }} as customer_key,
        'online_retail' as organization_id,
        '(unknown)' as customer_id,
        null as country,
        0 as admission_seq,
        0 as _row_number
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_key
            order by case when country is null then 1 else 0 end, admission_seq desc, _row_number desc
        ) as said_rank
    from said
),

final as (
    select
        ranked.customer_key,
        ranked.organization_id,
        ranked.customer_id,
        ranked.country
    from ranked
    {% if is_incremental() %}
        left join {{ this }} as known on ranked.customer_key = known.customer_key
    {% endif %}
    where
        ranked.said_rank = 1
        {% if is_incremental() %}
            and (
                known.customer_key is null
                or ranked.country != coalesce(known.country, '')
            )
        {% endif %}
)

select * from final
