"""Signatures of deliveries: signing, verifying, and explaining a failed verification.

signing      `sign` and `verify`
diagnosis    `explain`: why a delivery does not verify
corruptions  known corruptions of secrets and bodies, and how to undo them
"""

from .diagnosis import Explanation, explain
from .signing import sign, verify

__all__ = ["Explanation", "explain", "sign", "verify"]
