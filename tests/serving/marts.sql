-- A small star in the shape of dbt_project/models/marts, with the columns that metrics use.
-- Acme (US) pays 100 a month; Bolt (DE) 200.50 from May 2023; Crow (US) paid 50 until June 2023 and left.
create table marts.dim_dates as
select cast(day as date) as date_day
from generate_series(timestamp '2023-01-01', timestamp '2024-12-31', interval '1 day') as days (day);

create table marts.dim_organizations (
    organization_id text not null, name text not null, industry text, country text, referral_source text,
    account_plan_id text, is_trial boolean, seats bigint
);
insert into marts.dim_organizations values
('acme', 'Acme', 'tech', 'US', 'ads', 'Pro', false, 10),
('bolt', 'Bolt', 'tech', 'DE', 'web', 'Pro', false, 20),
('crow', 'O''Brien & "Crow" \ {{ jinja }} {% x %} Ω', 'retail', 'US', null, 'Basic', true, 30);

create table marts.dim_plans as
select * from (values ('Basic', 'Basic'), ('Pro', 'Pro')) as plans (plan_id, name);

create table marts.dim_features as
select * from (values ('f1', 'Reports'), ('f2', 'Alerts')) as features (feature_id, name);

create table marts.dim_users as
select 'k' || n as user_key, organization_id, 'u' || n as user_id, 'login' || n as login
from generate_series(1, 9) as n, lateral (select (array['acme', 'bolt', 'crow'])[n % 3 + 1] as organization_id) as o;

create table marts.fact_organization_months (
    organization_id text not null, plan_id text not null, month_start_date date not null,
    active_subscriptions bigint not null, mrr_usd numeric(18, 2) not null, admission_seq bigint not null
);
insert into marts.fact_organization_months
select
    paid.organization_id, paid.plan_id, cast(month as date),
    case when month <= paid.until then 1 else 0 end, case when month <= paid.until then paid.mrr else 0 end, 1
from
    (values
        ('acme', 'Basic', date '2023-01-01', date '2030-01-01', 60.00),
        ('acme', 'Pro', date '2023-01-01', date '2030-01-01', 40.00),
        ('bolt', 'Pro', date '2023-05-01', date '2030-01-01', 200.50),
        ('crow', 'Basic', date '2023-01-01', date '2023-06-01', 50.00)
    ) as paid (organization_id, plan_id, since, until, mrr),
    generate_series(paid.since, timestamp '2024-06-01', interval '1 month') as month;

create table marts.fact_churn_events (
    churn_event_id text not null, organization_id text not null, churn_date date not null, reason text,
    is_reactivation boolean, refund_usd numeric(18, 2), admission_seq bigint not null
);
insert into marts.fact_churn_events values
('c1', 'crow', '2023-07-01', 'pricing', false, 12.34, 1),
('c2', 'acme', '2023-02-03', null, true, null, 1),
('c3', 'bolt', '2024-01-31', 'support', false, 0.10, 1);

create table marts.fact_feature_usage as
select
    'g' || n as usage_id, (array['acme', 'bolt', 'crow'])[n % 3 + 1] as organization_id,
    (array['Basic', 'Pro'])[n % 2 + 1] as plan_id, 'f' || n % 2 + 1 as feature_id,
    date '2024-01-01' + n as usage_date, n % 5 = 0 as is_beta, cast(n as bigint) as usage_count,
    cast(n * 60 as bigint) as usage_duration_seconds, cast(1 as bigint) as admission_seq
from generate_series(1, 90) as n;

create table marts.fact_support_tickets as
select
    't' || n as ticket_id, (array['acme', 'bolt', 'crow'])[n % 3 + 1] as organization_id,
    date '2024-01-01' + n as submitted_date, (array['low', 'high'])[n % 2 + 1] as priority,
    n % 7 = 0 as is_escalated, cast(n * 3 as bigint) as first_response_minutes,
    case when n % 4 > 0 then cast(n % 5 + 1 as numeric(4, 2)) end as satisfaction_score,
    cast(1 as bigint) as admission_seq
from generate_series(1, 60) as n;

create table marts.fact_user_actions (
    user_action_id text not null, organization_id text not null, user_id text not null, user_key text not null,
    action_type text not null, action_date date not null, actioned_at timestamptz not null, admission_seq bigint not null
);
insert into marts.fact_user_actions
select
    'a' || n, (array['acme', 'bolt', 'crow'])[n % 3 + 1], case when n % 10 = 0 then '(unknown)' else 'u' || n % 9 end,
    'k' || n % 9, (array['PushEvent', 'WatchEvent'])[n % 2 + 1], date '2024-01-01' + n / 4,
    timestamptz '2024-01-01 12:00+00' + n / 4 * interval '1 day', 1
from generate_series(0, 359) as n;
