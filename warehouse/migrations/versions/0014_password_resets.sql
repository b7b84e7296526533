-- A link is good for as long as whoever made it might make it again, so it has to be known who that was.
alter table app.password_resets add column organization_id text;
comment on column app.password_resets.organization_id is 'Whose admin made it, for a member of that organization alone; null: an operator, or the command.';
-- Of the links of the last day that is not known; another one is made in a moment.
update app.password_resets set used_at = now() where used_at is null;
