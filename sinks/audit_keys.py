"""The keys of the audit's checkpoints: with which they are signed, and whose are believed."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.settings import Settings
from schemas.signing_keys import parse_key, parse_keys
from sinks.keys import KeyRing

DERIVED_NAME = "derived"
_PURPOSE = "audit checkpoints"
_SEED_BYTES = 32


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """AUDIT_SIGNING_KEY; without it, one derived from SECRET_KEY."""
    return Ed25519PrivateKey.from_private_bytes(_named_seed(settings)[1])


def trusted_keys(settings: Settings) -> dict[bytes, str]:
    """The names of public keys by their bytes: our own one first, then AUDIT_VERIFY_KEYS.

    Derived ones, also of earlier SECRET_KEYs, are believed only where neither of the two is set: every process has
    that secret.
    """
    found: dict[bytes, str] = {}
    if settings.audit_signing_key is not None or settings.audit_verify_keys is None:
        name, seed = _named_seed(settings)
        found[_public(seed)] = name
    if settings.audit_verify_keys is not None:
        found |= {raw: name for name, raw in parse_keys(settings.audit_verify_keys).items()}
    elif settings.audit_signing_key is None:
        found |= {_public(seed): f"{DERIVED_NAME}-{n}" for n, seed in enumerate(_derived(settings)[1:], start=1)}
    return found


def _named_seed(settings: Settings) -> tuple[str, bytes]:
    if settings.audit_signing_key is not None:
        return parse_key(settings.audit_signing_key.get_secret_value())
    return DERIVED_NAME, _derived(settings)[0]


def _derived(settings: Settings) -> list[bytes]:
    """Seeds, the one of SECRET_KEY first."""
    ring = KeyRing(settings.secret_key.get_secret_value(), settings.previous_secret_keys, _PURPOSE)
    return [key.secret[:_SEED_BYTES] for key in ring]


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
