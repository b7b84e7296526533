"""The ways in: registering, logging in by password or by OpenID Connect, and what is written down of each.

A password is checked before anything else is told, and for an address that nobody has it takes as long and sounds the
same.
"""

import hashlib
import hmac
from contextlib import AbstractContextManager

import sqlalchemy as sa

from serving.identity.attempts import Attempts
from serving.identity.audit import write_down
from serving.identity.invitations import accept, find_invitation
from serving.identity.memberships import Membership, join, membership_for, memberships_of, new_organization, plan_of
from serving.identity.oidc import Claimed
from serving.identity.passwords import hash_password, is_password, needs_renewal
from serving.identity.refusals import NotAllowedError, NotAuthenticatedError
from serving.identity.roles import Role
from serving.identity.second_factor import SecondFactor
from serving.identity.sessions import TokenPair, end_session, open_session, renew_session
from serving.identity.tokens import Tokens
from serving.identity.users import (
    User,
    add_user,
    bind_oidc,
    keep_password,
    normalized_email,
    user_by_email,
    user_by_oidc,
    verify_email,
)
from warehouse.database import API, Warehouse
from warehouse.secret_keys import purpose_key
from warehouse.settings import Settings


class Accounts:
    """Lets people in.

    Args:
        warehouse: Where they are.
        settings: Who may register, and how often one may guess.
        tokens: Signs what they get.
    """

    def __init__(self, warehouse: Warehouse, settings: Settings, tokens: Tokens) -> None:
        self._warehouse = warehouse
        self._is_open = settings.registration == "open"
        self._tokens = tokens
        self._audit_key = purpose_key(settings, "addresses in the audit log")
        self.attempts = Attempts(settings)
        self.second_factor = SecondFactor(settings)

    def register(
        self,
        email: str,
        password: str,
        *,
        address: str,
        name: str = "",
        organization_name: str = "",
        invitation: str | None = None,
        request_id: str | None = None,
    ) -> TokenPair:
        """Let somebody new in: into a new organization of theirs, or into the one that invites them.

        Args:
            email: Their e-mail address.
            password: Their password.
            address: Where they come from.
            name: What they are called.
            organization_name: What their new organization is called.
            invitation: An invitation's text.
            request_id: The request.

        Raises:
            NotAllowedError: Only those who are invited may, and they are not; or the invitation is not valid.
            ConflictError: There is an account with this address.
            TooManyAttemptsError: Too many tried from there.
        """
        email = normalized_email(email)
        self.attempts.take(address)
        if invitation is None and not self._is_open:
            raise _uninvited()
        password_hash = hash_password(password)
        with self._begin() as connection:
            invited = None if invitation is None else find_invitation(connection, invitation, email)
            user = add_user(connection, email, name=name, password_hash=password_hash)
            if invited is not None:
                accept(connection, invited, user)
                membership = Membership(
                    invited.organization_id, invited.role, plan_of(connection, invited.organization_id)
                )
            else:
                membership = _in_new_organization(connection, user, organization_name)
            details = {"role": membership.role.value, "invitation_id": invited.invitation_id if invited else None}
            _note(connection, user, "auth.register", membership, request_id, details)
            return open_session(connection, self._tokens, user, membership)

    def log_in(
        self,
        email: str,
        password: str,
        *,
        address: str,
        code: str | None = None,
        organization: str | None = None,
        request_id: str | None = None,
    ) -> TokenPair:
        """Let somebody in by their password, and a code if they have a second factor.

        Args:
            email: Their e-mail address.
            password: Their password.
            address: Where they come from.
            code: Of the second factor.
            organization: Where they want to be, if they are in several.
            request_id: The request.

        Raises:
            NotAuthenticatedError: Address, password or code is wrong, or a code is needed.
            NotAllowedError: They are no member there.
            TooManyAttemptsError: Too many guesses.
        """
        email = normalized_email(email)
        account = self._unspeaking(email)
        self.attempts.take(address, account)
        with self._warehouse.engine(API).connect() as connection:
            user = user_by_email(connection, email)
        is_right = is_password(password, None if user is None else user.password_hash)
        if user is None or not is_right or user.disabled_at is not None:
            self._note_failure(user, account, "password" if user is None or not is_right else "disabled", request_id)
            raise NotAuthenticatedError("e-mail address or password is wrong")
        if user.has_second_factor and code is None:
            raise NotAuthenticatedError("a code of the second factor is needed", hint="send it as `code`")
        try:
            with self._begin() as connection:
                if code is not None and user.has_second_factor:
                    self.second_factor.require(connection, user, code)
                if user.password_hash is not None and needs_renewal(user.password_hash):
                    keep_password(connection, user.user_id, hash_password(password))
                pair = self._let_in(connection, user, organization, {"by": "password"}, request_id)
        except NotAuthenticatedError:
            self._note_failure(user, account, "code", request_id)
            raise
        self.attempts.forget(account)
        return pair

    def log_in_by_oidc(self, claimed: Claimed, organization: str | None, request_id: str | None) -> TokenPair:
        """Let somebody in whom an OpenID Connect provider vouches for; the second factor is the provider's business.

        They are who the provider's name for them was bound to; else whoever has the address that the provider has
        verified, if we know that it is theirs, too. An address that somebody merely said when they registered is no
        such thing: whoever says a stranger's address first would share the stranger's account.

        Raises:
            NotAllowedError: They are nobody here, and may not become anybody.
            NotAuthenticatedError: Their account was closed.
        """
        with self._begin() as connection:
            user = user_by_oidc(connection, claimed.issuer, claimed.subject)
            if user is None:
                user = self._bound(connection, claimed, request_id)
            if user.disabled_at is not None:
                raise NotAuthenticatedError("the account is closed")
            return self._let_in(connection, user, organization, {"by": "oidc"}, request_id)

    def renew(self, refresh_token: str, request_id: str | None) -> TokenPair:
        """The next pair of a session; see `renew_session`."""
        return renew_session(self._warehouse, self._tokens, refresh_token, request_id)

    def log_out(self, refresh_token: str, request_id: str | None) -> None:
        """End a session; see `end_session`."""
        end_session(self._warehouse, refresh_token, request_id)

    def _bound(self, connection: sa.Connection, claimed: Claimed, request_id: str | None) -> User:
        """Whom an address leads to that the provider has verified, bound to the provider's name for them."""
        if claimed.verified_email is None:
            raise NotAllowedError("the provider has verified no e-mail address of yours")
        user = user_by_email(connection, claimed.verified_email)
        if user is None:
            if not self._is_open:
                raise _uninvited()
            user = add_user(connection, claimed.verified_email, name=claimed.name, is_email_verified=True)
            membership = _in_new_organization(connection, user, "")
            _note(connection, user, "auth.register", membership, request_id, {"role": membership.role.value})
        elif not user.is_email_verified or not (user.is_operator or memberships_of(connection, user.user_id)):
            raise NotAllowedError(
                "there is an account with your e-mail address, and nobody has vouched that it is yours",
                hint="log in to it by its password, and take an invitation of an organization",
            )
        if not bind_oidc(connection, user.user_id, claimed.issuer, claimed.subject):
            raise NotAllowedError("your account is bound to somebody else at the provider")
        verify_email(connection, user.user_id)
        return user

    def _let_in(
        self,
        connection: sa.Connection,
        user: User,
        organization: str | None,
        details: dict[str, str],
        request_id: str | None,
    ) -> TokenPair:
        membership = membership_for(connection, user, organization)
        _note(connection, user, "auth.login", membership, request_id, details)
        return open_session(connection, self._tokens, user, membership)

    def _note_failure(self, user: User | None, account: str, reason: str, request_id: str | None) -> None:
        with self._begin() as connection:
            write_down(
                connection,
                "nobody" if user is None else user.subject,
                "auth.login_failed",
                details={"reason": reason, "account": account},
                request_id=request_id,
            )

    def _unspeaking(self, email: str) -> str:
        """A name for an address that tells it to nobody, since people type others' addresses, and passwords, there."""
        return hmac.new(self._audit_key, email.encode(), hashlib.sha256).hexdigest()[:16]

    def _begin(self) -> AbstractContextManager[sa.Connection]:
        return self._warehouse.engine(API).begin()


def _in_new_organization(connection: sa.Connection, user: User, name: str) -> Membership:
    organization_id = new_organization(connection, name or f"Organization of {user.name or user.email}")
    join(connection, user.user_id, organization_id, Role.ADMIN)
    return Membership(organization_id, Role.ADMIN, plan_of(connection, organization_id))


def _note(
    connection: sa.Connection,
    user: User,
    action: str,
    membership: Membership,
    request_id: str | None,
    details: dict[str, str | None] | dict[str, str],
) -> None:
    write_down(
        connection,
        user.subject,
        action,
        organization_id=membership.organization_id,
        details=details,
        request_id=request_id,
    )


def _uninvited() -> NotAllowedError:
    return NotAllowedError("nobody can register here uninvited", hint="an admin of an organization can invite you")
