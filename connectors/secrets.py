"""Keeps what a source's settings hold back out of every error that leaves it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from pydantic import BaseModel, SecretStr

from warehouse.errors import DataInsightError

_SHORTEST = 3  # A shorter one would make every message unreadable, and is no secret.
_WORDS = ("pass", "pwd", "secret", "token", "key", "sig")


def secret_texts(value: Any) -> set[str]:
    """Every text that must not be shown, of all `SecretStr` in a model: itself, a URL's password, both also quoted."""
    match value:
        case SecretStr():
            return _spellings(value.get_secret_value())
        case BaseModel():
            return {text for name in type(value).model_fields for text in secret_texts(getattr(value, name))}
        case Mapping():
            return {text for item in value.values() for text in secret_texts(item)}
        case list() | tuple() | set() | frozenset():
            return {text for item in value for text in secret_texts(item)}
    return set()


def redacted(text: str, secrets: set[str]) -> str:
    """The text with `***` in place of every secret, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


@contextmanager
def redacting(settings: BaseModel) -> Iterator[None]:
    """Let no error out whose text, or whose cause's text, holds a secret of `settings`.

    Raises:
        DataInsightError: In place of an error that did; without its cause, which would still say it.
    """
    try:
        yield
    except Exception as error:
        secrets = secret_texts(settings)
        if not any(secret in said for secret in secrets for said in _said(error)):
            raise
        hint = getattr(error, "hint", None)
        told = error.message if isinstance(error, DataInsightError) else f"{type(error).__name__}: {error}"
        raise DataInsightError(redacted(told, secrets), redacted(hint, secrets) if hint else None) from None


def _said(error: BaseException) -> Iterator[str]:
    step: BaseException | None = error
    seen: set[int] = set()
    while step is not None and id(step) not in seen:
        seen.add(id(step))
        yield f"{step} {step!r} {getattr(step, 'hint', '')}"
        step = step.__cause__ or step.__context__


def _spellings(secret: str) -> set[str]:
    texts = {secret}
    if "://" in secret:
        # Of a URL only the password is a secret, and what its query calls one; the host may be named.
        url = urlsplit(secret)
        texts = {value for name, value in parse_qsl(url.query) if any(word in name.lower() for word in _WORDS)}
        texts |= {url.password, unquote(url.password)} if url.password else set()
    texts |= {spelt for text in list(texts) for spelt in (quote(text, safe=""), quote_plus(text))}
    return {text for text in texts if len(text) >= _SHORTEST}
