"""Signatures of deliveries: signing, verifying, and explaining a failed verification.

signing             `sign` and `verify`
verdict             whether a delivery is authentic, decided once for `verify` and `explain`
diagnosis           `explain`: why a delivery does not verify
search              finds the change that explains it
causes              the texts for each cause
secret_corruptions, body_corruptions, body_encodings
                    known changes of secrets and bodies, and how to undo them
keys                signing secrets, and the HMAC
headers, bodies, timestamps
                    the arguments, in the forms in which people have them
"""

from .diagnosis import Explanation, explain
from .signing import sign, verify

__all__ = ["Explanation", "explain", "sign", "verify"]
