-- A country that nobody wrote holidays down for would silently have none.
{{ config(meta={'dagster': {'ref': {'name': 'dim_dates'}}}) }}

-- depends on {{ ref('dim_dates') }}
select '{{ var('holiday_country', 'US') }}' as unknown_country
where not exists (
    select 1
    from {{ ref('holidays') }}
    where country = '{{ var('holiday_country', 'US') }}'
)
