-- Every new action that names a dashboard has it in the dimension, although most name none.
{{ config(enabled=configured('platform'), meta={'dagster': {'ref': {'name': 'fact_user_actions'}}}) }}

select actions.dashboard_key
from {{ ref('fact_user_actions') }} as actions
left join {{ ref('dim_dashboards') }} as dashboards
    on actions.dashboard_key = dashboards.dashboard_key
where
    {{ not_yet_published('actions.admission_seq') }}
    and actions.dashboard_key is not null
    and dashboards.dashboard_key is null
