"""As whom the embedded server runs: as ourselves, or, since PostgreSQL refuses root, as an unprivileged system user.

Where that user may not enter the folders on the way (a clone under /root, say), the server is started with a
Linux capability that lets it pass, rather than by changing folders that are not ours. No user is ever
created.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from warehouse.errors import DataInsightError

_DEFAULT_USERS = ("postgres", "nobody")
# The weaker one first: reading everything, else (containers seldom grant the first) also writing everything.
_CAPABILITIES = ("dac_read_search", "dac_override")
# Prints the first of its arguments that may not be entered or executed, and fails.
_REACH_SCRIPT = 'for path; do [ -x "$path" ] || { printf %s "$path"; exit 1; }; done'


@dataclass(frozen=True)
class ServerAccount:
    """The system user of the server and the way to start a program as that user.

    Attributes:
        uid: The user's number.
        gid: The number of the user's group.
        name: The user's name.
        switches: Whether a program must be started as another user than ourselves.
        prefix: A command that starts the program given after it with the capability to pass closed folders.
        notice: One line for the user about that capability, None where it is not needed.
    """

    uid: int
    gid: int
    name: str
    switches: bool = False
    prefix: tuple[str, ...] = ()
    notice: str | None = None

    def execute(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: dict[str, str],
        keep_open: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user, its output captured.

        Args:
            command: The program and its arguments.
            folder: Its working folder.
            environment: Variables added to the little that it gets; ours may hold secrets and `PG*`
            variables.
            keep_open: File descriptors that it inherits.

        Raises:
            DataInsightError: We may not become that user.
        """
        as_user = self.switches and not self.prefix
        try:
            return subprocess.run(
                [*self.prefix, *command],
                user=self.uid if as_user else None,
                group=self.gid if as_user else None,
                extra_groups=[] if as_user else None,
                # The folder may be closed to the user, but the working folder of a process stays with it.
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **environment},
                pass_fds=keep_open,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                umask=0o077,
                check=False,
            )
        except PermissionError as error:
            raise DataInsightError(
                f"cannot start PostgreSQL as user {self.name}: {error}",
                hint="start DataInsight as a plain user, or set DATAINSIGHT_DATABASE_URL to a PostgreSQL of your own",
            ) from error

    def own(self, path: Path) -> None:
        """Give a path that is ours to the server's user."""
        if path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)

    def blocked_at(self, paths: Sequence[Path]) -> Path | None:
        """The first folder on the way to the paths that this user may not enter (or program it may not execute)."""
        steps = [str(step) for path in paths for step in [*reversed(path.parents), path]]
        tried = self.execute(
            ["/bin/sh", "-c", _REACH_SCRIPT, "sh", *dict.fromkeys(steps)], folder=Path("/"), environment={}
        )
        if tried.returncode == 0:
            return None
        return Path(tried.stdout or paths[0])


def choose_account(user: str, owner_uid: int | None, paths: Sequence[Path]) -> ServerAccount:
    """The account to run the server as.

    Args:
        user: The configured system user, '' for the default; it counts only when we are root.
        owner_uid: To whom an existing cluster belongs, None before there is one.
        paths: Programs and folders that the server's user must be able to reach.

    Raises:
        DataInsightError: There is no such user, the cluster is another's, or the paths cannot be reached.
    """
    if os.geteuid() != 0:
        account = ServerAccount(os.geteuid(), os.getegid(), user_name(os.geteuid()))
    else:
        account = _unprivileged(user, owner_uid)
    if owner_uid not in (None, account.uid):
        owner = user_name(owner_uid or 0)
        raise DataInsightError(
            f"the database belongs to the system user {owner}, but the server would run as {account.name}",
            hint=f"start DataInsight as {owner}, or as root with DATAINSIGHT_SERVER_USER={owner}, "
            "or set DATAINSIGHT_HOME to another folder",
        )
    return _able_to_reach(account, paths) if account.switches else account


def user_name(uid: int) -> str:
    """The name of a user, or its number where it has no name (as in many containers)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _unprivileged(user: str, owner_uid: int | None) -> ServerAccount:
    """The configured system user, else the default one to whom the cluster belongs, else the first that exists."""
    known = {entry.pw_name: entry for entry in map(_entry, [user] if user else _DEFAULT_USERS) if entry}
    known = {name: entry for name, entry in known.items() if entry.pw_uid != 0}
    if not known:
        asked = f"`{user}`" if user else " or ".join(f"`{name}`" for name in _DEFAULT_USERS)
        raise DataInsightError(
            f"PostgreSQL refuses to run as root, and there is no unprivileged system user {asked}",
            hint="set DATAINSIGHT_SERVER_USER to an existing user, or start DataInsight as a plain user",
        )
    owner = [entry for entry in known.values() if entry.pw_uid == owner_uid]
    entry = (owner or list(known.values()))[0]
    return ServerAccount(entry.pw_uid, entry.pw_gid, entry.pw_name, switches=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _able_to_reach(account: ServerAccount, paths: Sequence[Path]) -> ServerAccount:
    """The account itself if it reaches the paths, else the account with the weakest capability that does."""
    blocked = account.blocked_at(paths)
    if blocked is None:
        return account
    setpriv = shutil.which("setpriv")
    for capability in _CAPABILITIES if setpriv else ():
        able = replace(
            account,
            prefix=(str(setpriv), f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups",
                    f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}",
                    # Without this bit access(2), by which PostgreSQL looks for its own programs, ignores
                    # capabilities.
                    "--securebits=+no_setuid_fixup", "--no-new-privs"),
            notice=f"PostgreSQL runs as `{account.name}` with CAP_{capability.upper()}, because {blocked} is closed "
            "to that user (see docs/embedded-postgresql.md)",
        )  # fmt: skip
        if able.blocked_at(paths) is None:
            return able
    raise DataInsightError(
        f"PostgreSQL refuses to run as root, and the system user `{account.name}` may not enter {blocked}",
        hint=f"`chmod o+x {blocked}`, or set DATAINSIGHT_SERVER_USER to a user who may enter it, "
        "or move DATAINSIGHT_HOME and the installation to an open folder",
    )
