"""PostgreSQL's doors: the logins of organizations and analysts, and the tenant policy as the database enforces it.

`sync` carries the policy file and the limits into the database, `logins` says who has a login, `roles` makes and
removes the roles behind them, `limits` says how much they may do. What a role sees is decided in the database itself,
by migration 0003.
"""
