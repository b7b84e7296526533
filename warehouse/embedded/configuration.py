"""How the embedded server is configured: memory from the machine's size, safety never traded for speed.

The file is written anew at each start, so that an old cluster gets the settings of a new release.
"""

import os
from pathlib import Path

_FIRST_MAJOR_WITH_NOTIFY_LIMIT = 17
_MEGABYTE = 1024 * 1024
# Parallel queries share memory through /dev/shm; containers often give it 64 MB, which a hash join exhausts.
_SMALLEST_SHARED_MEMORY_BYTES = 512 * _MEGABYTE


def configuration(memory_bytes: int, major: int) -> str:
    """The text of the configuration of a server of version `major` on a machine (or container) with so much memory."""
    memory_mb = memory_bytes // _MEGABYTE
    settings = {
        # Loopback TCP only: no socket, so no path is too long for one, and any BI tool can connect.
        "listen_addresses": "'127.0.0.1'",
        "unix_socket_directories": "''",
        "password_encryption": "'scram-sha-256'",
        "max_connections": "100",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": f"{_between(64, memory_mb // 8, 2048)}MB",
        "effective_cache_size": f"{max(128, memory_mb // 2)}MB",
        "work_mem": f"{_between(8, memory_mb // 256, 64)}MB",
        "maintenance_work_mem": f"{_between(64, memory_mb // 32, 1024)}MB",
        "dynamic_shared_memory_type": f"'{_shared_memory_type()}'",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "wal_compression": "on",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "lc_messages": "'C'",
        "logging_collector": "off",
    }
    if major >= _FIRST_MAJOR_WITH_NOTIFY_LIMIT:
        # 256 MB of pages, in place of 8 GB: any login may fill this queue, and it lies on the disk.
        settings["max_notify_queue_pages"] = "32768"
    head = "# Written by DataInsight at each start: change settings with ALTER SYSTEM, which overrides this file.\n"
    return head + "".join(f"{name} = {value}\n" for name, value in settings.items())


def machine_memory_bytes() -> int:
    """The machine's memory, or the limit of the control group we run in where that is lower."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([memory, *_control_group_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def _control_group_limits(membership: Path, mount: Path) -> list[int]:
    """Memory limits, in bytes, of our control group and of those above it, in both versions of the interface."""
    limits: list[int] = []
    for line in membership.read_text().splitlines() if membership.exists() else []:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = mount / controllers
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        group = top / path.lstrip("/")
        # Inside a container the path is that of the host, and the container's own limit is at the top.
        for folder in [group, *group.parents]:
            limit = folder / name
            if folder.is_relative_to(top) and limit.is_file() and (text := limit.read_text().strip()).isdigit():
                limits.append(int(text))
    return limits


def _shared_memory_type() -> str:
    try:
        space = os.statvfs("/dev/shm")  # noqa: S108 - the mount point of POSIX shared memory.
    except FileNotFoundError:
        return "mmap"
    return "posix" if space.f_frsize * space.f_blocks >= _SMALLEST_SHARED_MEMORY_BYTES else "mmap"


def _between(lowest: int, value: int, highest: int) -> int:
    return max(lowest, min(value, highest))
