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

create table marts.fact_sessions (
    session_id text not null, organization_id text not null, user_key text not null, session_date date not null,
    duration_seconds bigint not null, action_count bigint not null, admission_seq bigint not null
);
insert into marts.fact_sessions values
('s1', 'acme', 'k1', '2024-01-05', 600, 3, 1), ('s2', 'bolt', 'k2', '2024-02-05', 60, 1, 1);

-- Every organization here has one version, known by its id.
alter table marts.dim_organizations add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_organization_months add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_churn_events add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_feature_usage add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_support_tickets add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_user_actions add column organization_key text generated always as (organization_id) stored;
alter table marts.fact_user_actions add column source_name text generated always as ('github') stored;

create table marts.dim_accounts as
select
    organization_id as account_key, organization_id as account_id, organization_id, name, industry,
    account_plan_id as plan_id, organization_id = 'crow' as is_churned
from marts.dim_organizations;

create table marts.fact_invoices (
    invoice_id text not null, organization_key text not null, organization_id text not null, plan_id text not null,
    issued_date date not null, paid_date date, days_to_pay integer, status text, total_usd numeric(18, 2),
    admission_seq bigint not null
);
insert into marts.fact_invoices values
('i1', 'acme', 'acme', 'Pro', '2024-01-10', '2024-02-05', 26, 'paid', 119.00, 1),
('i2', 'acme', 'acme', 'Basic', '2024-02-10', null, null, 'open', 50.00, 1),
('i3', 'bolt', 'bolt', 'Pro', '2024-01-31', '2024-02-10', 10, 'paid', 200.50, 1),
('i4', 'bolt', 'bolt', 'Pro', '2024-02-29', null, null, 'overdue', 200.50, 1),
('i5', 'crow', 'crow', 'Basic', '2024-01-01', null, null, 'void', 60.00, 1);

create table marts.fact_opportunities (
    opportunity_id text not null, account_key text not null, organization_key text not null,
    organization_id text not null, kind text, stage text, amount_usd numeric(18, 2), probability numeric(7, 6),
    created_date date not null, closed_date date, is_won boolean not null, is_closed boolean not null, owner_id text,
    admission_seq bigint not null
);
insert into marts.fact_opportunities values
('o1', 'acme', 'acme', 'acme', 'renewal', 'closed_won', 1200, 1, '2024-01-05', '2024-02-01', true, true, 's1', 1),
('o2', 'acme', 'acme', 'acme', 'expansion', 'proposal', 600, 0.5, '2024-02-05', null, false, false, 's2', 1),
('o3', 'bolt', 'bolt', 'bolt', 'expansion', 'closed_lost', 2400, 0, '2024-01-05', '2024-02-20', false, true, 's1', 1),
('o4', 'crow', 'crow', 'crow', 'renewal', 'negotiation', 400, 0.75, '2024-03-01', null, false, false, 's1', 1);

create table marts.fact_mrr_movements (
    organization_id text not null, month_start_date date not null, organization_key text not null,
    movement_type text not null, movement_usd numeric(18, 2) not null, admission_seq bigint not null
);
insert into marts.fact_mrr_movements values
('acme', '2024-01-01', 'acme', 'new', 100, 1),
('acme', '2024-02-01', 'acme', 'expansion', 50.50, 1),
('acme', '2024-03-01', 'acme', 'contraction', -0.50, 1),
('bolt', '2024-01-01', 'bolt', 'new', 200, 1),
('bolt', '2024-02-01', 'bolt', 'churn', -200, 1),
('bolt', '2024-03-01', 'bolt', 'reactivation', 150, 1);

create table marts.dim_products as
select * from (values ('p1', 'acme', '1', 'Lantern'), ('p2', 'bolt', '2', 'Tea light')) as product
    (product_key, organization_id, product_id, name);

create table marts.dim_customers as
select * from (values ('c1', 'acme', '17850', 'France'), ('c2', 'bolt', '(unknown)', null)) as customer
    (customer_key, organization_id, customer_id, country);

create table marts.fact_invoice_lines (
    invoice_line_id text not null, organization_key text not null, organization_id text not null, invoice_id text not null,
    product_key text not null, customer_key text not null, customer_id text not null, invoice_date date not null,
    is_cancellation boolean not null, quantity bigint, unit_price_gbp numeric(18, 4), amount_gbp numeric(38, 4),
    admission_seq bigint not null
);
insert into marts.fact_invoice_lines values
('l1', 'acme', 'acme', '1', 'p1', 'c1', '17850', '2024-01-05', false, 6, 2.55, 15.30, 1),
('l2', 'acme', 'acme', 'C2', 'p1', 'c1', '17850', '2024-02-05', true, -1, 2.55, -2.55, 1),
('l3', 'acme', 'acme', '3', 'p1', 'c1', '17850', '2024-02-05', false, 10, 0, 0, 1),
('l4', 'bolt', 'bolt', '4', 'p2', 'c2', '(unknown)', '2024-03-05', false, 1, 0.001, 0.001, 1);

create table marts.fact_batches (
    batch_id bigint not null, source_name text not null, table_name text not null, status text not null,
    landed_date date not null, row_count bigint not null, quarantined_count bigint not null, admission_number bigint
);
insert into marts.fact_batches values
(1, 'saas', 'accounts', 'admitted', '2024-01-05', 90, 10, 1),
(2, 'saas', 'accounts', 'refused', '2024-02-05', 10, 0, null);

create table marts.fact_quality_results (
    batch_id bigint not null, check_number integer not null, check_name text not null, severity text,
    outcome text not null, landed_date date not null, admission_seq bigint
);
insert into marts.fact_quality_results values
(1, 1, 'account_id_present', 'row', 'failed', '2024-01-05', 1),
(1, 2, 'known_plan', 'warn', 'passed', '2024-01-05', 1),
(2, 1, 'readable_file', 'batch', 'failed', '2024-02-05', null);

create table marts.fact_metric_queries (
    query_id bigint not null, organization_key text, organization_id text not null, asked_date date not null,
    metric_names text not null, outcome text not null, milliseconds double precision not null, is_cache_hit boolean,
    admission_seq bigint not null
);
insert into marts.fact_metric_queries values
(1, null, '(operator)', '2024-01-05', 'mrr', 'answered', 12.5, false, 1),
(2, 'acme', 'acme', '2024-02-05', 'mrr, arr', 'failed', 2, null, 1),
(3, 'bolt', 'bolt', '2024-02-05', 'mrr', 'answered', 1.5, true, 1);
alter table marts.fact_metric_queries
add column door text not null default 'http', add column principal text default 'key:1',
    add column kind text not null default 'query';
alter table marts.fact_sessions add column organization_key text generated always as (organization_id) stored;
