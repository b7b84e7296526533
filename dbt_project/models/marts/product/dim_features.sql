{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='feature_id',
) }}

with stated as (
    select distinct coalesce(feature_id, '(unknown)') as feature_id
    from {{ ref('stg_saas__feature_usage') }}
    where {{ not_yet_in('fact_feature_usage') }}
),

final as (
    select
        {{ surrogate_key(['feature_id']) }} as feature_key,
        feature_id,
        feature_id as name
    from stated
    {% if is_incremental() %}
        where feature_id not in (select known.feature_id from {{ this }} as known)
    {% endif %}
)

select * from final
