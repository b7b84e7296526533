"""Processes of this machine: told by their id, and what those of the platform are started with."""

import os

from warehouse.settings import PREFIX, PROJECT_ROOT, Settings, environment_of


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def environment_for(settings: Settings) -> dict[str, str]:
    """What another process of the platform begins with: these settings, whatever this one was started with."""
    others = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    path = os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH")]))
    return {**others, **environment_of(settings), "PYTHONPATH": path}
