"""Keeps what a source's settings hold back out of every error that leaves it, and out of the ledger."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pydantic import BaseModel, SecretStr

from warehouse.errors import DataInsightError

_SHORTEST = 3  # A shorter one would make every message unreadable, and is no secret.
_SHORTEST_LINE = 8
_SHORTEST_TOKEN = 16
_WORDS = re.compile(r"pass|pwd|secret|token|key|sig|credential", re.IGNORECASE)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_TAKES_TOKENS = {"http", "https", "git+http", "git+https"}
# What stands behind :// of a URL without user: a host and a port, and no @ but in the value of a parameter.
_NO_USER = re.compile(
    r"(?:\[[^\]@]*\]|[^:@/?#\[\]]*)(?::\d*)?(?:/[^@?#]*)?(?:\?(?:[^@]*|[^@=]+=.*))?(?:#[^@]*)?", re.DOTALL
)
_TOKEN_IN_PATH = re.compile(r"(?=[^/]*\d)[^/]{8,}|[^/]{20,}")
_SHORTEST_VARIABLE = 8
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[\w. -]+)+/?")
_FILLED = "_filled_from_environment"


def secret_texts(value: Any) -> set[str]:
    """Every text that must not be shown: of all `SecretStr` in a model, and of what `also_hide` was told.

    Of a URL that is the password, a token in place of the user, parameters that are called so, what looks like a token
    in the path of a web address, and the URL whole if it has any of these; of anything else the text itself, and each
    line of it. All of them also as they are written in URLs, in JSON and in Python's `repr`.
    """
    filled = vars(value).get(_FILLED, ()) if isinstance(value, BaseModel) else ()
    parts = {part for text in _held(value) for part in _parts(text)} | set(filled)
    return {spelt for part in parts for spelt in _spellings(part)}


def also_hide(source: BaseModel, texts: Iterable[str]) -> None:
    """Let these count as secrets of a source whose settings show them as plain text: values from the environment."""
    # Beside the fields, as a cached property is: neither compared, nor shown, nor written.
    vars(source)[_FILLED] = frozenset(texts)


def variable_secrets(value: str) -> set[str]:
    """What nobody may see of a value from the environment that stands in plain text, such as a query.

    The value, from 8 characters on; nothing of a path, and of a URL only what `url_secrets` says.
    """
    if _URL.fullmatch(value):
        return url_secrets(value)
    return set() if len(value) < _SHORTEST_VARIABLE or _PATH.fullmatch(value) else {value}


def url_secrets(text: str) -> set[str]:
    """What nobody may see of a URL that is no secret as such: password, token, parameters called so."""
    found = _URL.fullmatch(text)
    if not found:
        return set()
    scheme, rest = found[1].lower(), found[2]
    secrets: set[str] = set()
    for userinfo in _userinfos(rest):
        user, _, password = userinfo.partition(":")
        # One who forgot to quote @ / ? # reads pieces of the password as host, port or database in errors.
        secrets |= {password, *(re.split(r"[@/?#:]", password))}
        is_token = not password or password == "x-oauth-basic" or len(user) >= _SHORTEST_TOKEN  # noqa: S105
        secrets |= {user} if scheme in _TAKES_TOKENS and is_token else set()
    for pair in re.split(r"[&;#]", rest.partition("?")[2]):
        name, _, value = pair.partition("=")
        if _WORDS.search(name):
            secrets |= {value, unquote_plus(value)}
        elif name.lower() == "odbc_connect":
            secrets |= {value, unquote_plus(value), *_fields(unquote_plus(value))}
    return {text for secret in secrets for text in (secret, unquote(secret)) if text}


def redacted(text: str, secrets: set[str]) -> str:
    """The text with `***` in place of every secret, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def redacted_json(value: Any, secrets: set[str]) -> Any:
    """A JSON value with `***` in place of every secret in its texts, however deep; names of fields stay."""
    match value:
        case str():
            return redacted(value, secrets)
        case Mapping():
            return {key: redacted_json(item, secrets) for key, item in value.items()}
        case list() | tuple():
            return [redacted_json(item, secrets) for item in value]
    return value


def shows_secret(source: BaseModel, written: Any) -> bool:
    """Whether settings as they were written, `${NAME}` not filled in, hold a secret of the source in the clear."""
    secrets = {part for text in _held(source) for part in _parts(text)}
    return any(_parts(text.replace("$$", "$")) & secrets for text in _leaves(written))


@contextmanager
def redacting(settings: BaseModel) -> Iterator[None]:
    """Let no error out that says a secret of `settings`, be it in a cause, a note or a member of a group.

    Raises:
        DataInsightError: In place of an error that did; without its cause, which would still say it.
    """
    try:
        yield
    except Exception as error:
        secrets = secret_texts(settings)
        if not any(secret in said for said in _said(error) for secret in secrets):
            raise
        hint = getattr(error, "hint", None)
        told = error.message if isinstance(error, DataInsightError) else f"{type(error).__name__}: {error}"
        replacement = DataInsightError(redacted(told, secrets), redacted(hint, secrets) if hint else None)
        try:
            raise replacement from None
        finally:
            replacement.__context__ = None


def _said(error: BaseException) -> Iterator[str]:
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        step = left.pop()
        if step is None or id(step) in seen:
            continue
        seen.add(id(step))
        yield "\n".join([f"{step}", f"{step!r}", f"{getattr(step, 'hint', '')}", *getattr(step, "__notes__", ())])
        left += [step.__cause__, step.__context__]
        left += step.exceptions if isinstance(step, BaseExceptionGroup) else ()


def _held(value: Any) -> Iterator[str]:
    """The value of every `SecretStr` in a model, a mapping or a list."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _held(getattr(value, name))
        case Mapping():
            for item in value.values():
                yield from _held(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from _held(item)


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case Mapping():
            for item in value.values():
                yield from _leaves(item)
        case list() | tuple():
            for item in value:
                yield from _leaves(item)
        case None | bool():
            return
        case _:
            yield str(value)


def _parts(secret: str) -> set[str]:
    """What of a setting that is kept secret really is one; nothing of a URL that has nothing to hide."""
    found = _URL.fullmatch(secret)
    if not found:
        return {text for text in (secret, secret.strip(), *_fields(secret)) if text}
    parts = url_secrets(secret)
    if found[1].lower() in _TAKES_TOKENS:
        path = re.split(r"[?#]", found[2], maxsplit=1)[0].partition("/")[2]
        tokens = {segment for segment in path.split("/") if _TOKEN_IN_PATH.fullmatch(segment)}
        parts |= {path, path.rpartition("/")[2], *tokens} - {""} if tokens else set()
    return parts | {secret} if parts else set()


def _userinfos(rest: str) -> set[str]:
    """What may be user and password of a URL: up to the last @ before the path, and up to the last there is."""
    if _NO_USER.fullmatch(rest):
        return set()
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    usual = host.rpartition("@")[0]
    if usual and _NO_USER.fullmatch(rest[len(usual) + 1 :]):
        return {usual}
    return {usual, rest.rpartition("@")[0] if ":" in host else ""} - {""}


def _fields(text: str) -> set[str]:
    """The secrets in a text such as `Server=…;Password=…`."""
    fields = (field.partition("=") for field in re.split(r"[;&\s]+", re.sub(r"\s*=\s*", "=", text)))
    return {value for name, _, value in fields if value and _WORDS.search(name)}


def _spellings(secret: str) -> set[str]:
    """A secret as URLs, JSON and `repr` write it, and what of it stands alone on a line."""
    lines = [line.strip() for line in re.split(r"\\n|\r?\n", secret)]
    texts = {secret, *(line for line in lines if len(line) >= _SHORTEST_LINE)}
    for text in list(texts):
        for quoted in (
            quote(text, safe="", errors="replace"),
            quote(text, errors="replace"),
            quote_plus(text, errors="replace"),
        ):
            texts |= {quoted, re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)}
        texts |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        # With quotes of both sorts around it, repr has to escape the one in the text.
        texts |= {repr(text)[1:-1], repr(f"\"{text}'")[2:-3], repr(text.encode(errors="replace"))[2:-1]}
    return {text for text in texts if len(text) >= _SHORTEST}
