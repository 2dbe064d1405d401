"""Signatures of deliveries: signing, verifying, and explaining a refusal.

signing      `sign` and `verify`
diagnosis    `explain`: why a delivery does not verify
corruptions  what is known to happen to secrets and bodies, and how to undo it
"""

from .diagnosis import Explanation, explain
from .signing import sign, verify

__all__ = ["Explanation", "explain", "sign", "verify"]
