-- Around what a build has touched, no two sessions of a user are so near each other that they are one.
{{ config(enabled=configured('github')) }}

select later.session_id
from {{ ref('int_sessions_touched') }} as touched
inner join {{ ref('fact_sessions') }} as later
    on
        touched.user_key = later.user_key
        and later.started_at >= touched.from_at
        and later.started_at <= touched.to_at
        and later.session_date >= {{ utc_date('touched.from_at') }}
        and later.session_date <= {{ utc_date('touched.to_at') }}
inner join {{ ref('fact_sessions') }} as earlier
    on
        later.user_key = earlier.user_key
        and later.session_id <> earlier.session_id
        and later.started_at >= earlier.started_at
        and {{ dateadd('minute', -30, 'later.started_at') }} <= earlier.ended_at
        and earlier.started_at >= {{ dateadd('day', -1, 'touched.from_at') }}
        and earlier.session_date >= {{ dateadd('day', -1, utc_date('touched.from_at')) }}
        and earlier.session_date <= {{ utc_date('touched.to_at') }}
