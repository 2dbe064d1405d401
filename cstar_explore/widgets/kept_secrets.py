"""The signing secrets of the webhooks that a form created: saved to a file in one step, or revealed one at a time."""

from collections.abc import Callable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path

from ..errors import CStarError
from ..plans import Step, write_secrets
from ..secret import Secret
from ..text import plural, printable
from .boxes import Button, close, panel, row, set_visible
from .form import named
from .inputs import SecretReveal, TextField

_ONCE = "cStar returns a signing secret only once. Save them before this notebook is closed."


class KeptSecrets:
    """Holds the secrets by webhook ID, and shows none until it is asked for one.

    Args:
        on_save: Called after they were saved.

    Attributes:
        widget: The displayed widget; hidden while there are no secrets.
        path: The field for the file's path.
        save_button: Saves the secrets to it.
        saved: Whether all of them were saved.
    """

    def __init__(self, on_save: Callable[[], object]) -> None:
        self.path = TextField("File for the signing secrets")
        self.save_button = Button("", self._try_to_save, tooltip="Only you can read the file")
        self._secrets: dict[str, Secret] = {}
        self._names: dict[str, str] = {}
        self._revealed = panel()
        self.saved = False
        self._on_save = on_save
        self.widget = panel(row(self.path, self.save_button), self._revealed, css="cx-kept")
        self.path.on("enter", self._try_to_save)
        self._update()

    def __contains__(self, webhook_id: object) -> bool:
        return webhook_id in self._secrets

    def __len__(self) -> int:
        return len(self._secrets)

    def follow(self, step: Step) -> None:
        """Keeps the secret of a webhook from the step that creates it to the one that deletes it."""
        webhook = step.webhook
        if webhook is not None and webhook.secret is not None and webhook.id not in self._secrets:
            self._secrets[webhook.id] = webhook.secret
            self._names[webhook.id] = named(webhook)
            self.path.value = _unused_path() if self.saved else self.path.value or _unused_path()
            self.saved = False
            self.path.show(_ONCE, "warned")
        if step.change.what == "delete" and step.outcome == "done" and step.change.id in self._secrets:
            del self._secrets[step.change.id]
            self.reveal()
        self._update()

    def reveal(self, webhook_id: str = "") -> None:
        """Offers one secret, masked, in place of the one before; without an ID, none."""
        for old in self._revealed.children:
            close(old)
        secret, name = self._secrets.get(webhook_id), printable(self._names.get(webhook_id, ""), 80)
        self._revealed.children = [] if secret is None else [SecretReveal(secret, f"Of {name}.")]

    def save(self, path: str | Path | None = None) -> Path:
        """Saves all secrets to a new file that only its owner can read (0600), and removes them from the page.

        Args:
            path: A name that ends in `.env` or `.json`; None takes the one in the field.

        Returns:
            The absolute path.

        Raises:
            ConfigurationError: There are no secrets, or the path exists, ends otherwise or cannot be written. The field shows it.
        """
        if path is not None:
            self.path.value = str(path)
        target = Path(self.path.value.strip()).expanduser().absolute()
        try:
            write_secrets(target, self._secrets)
        except CStarError as error:
            self.path.show(str(error), "failed")
            raise
        self.reveal()
        saved = plural(len(self._secrets), "signing secret")
        self.path.show(f"Saved {saved} to {printable(target, 400)}. Only you can read the file.", "done")
        self.saved = True
        self._on_save()
        return target

    def _try_to_save(self) -> None:
        with suppress(CStarError):  # the field shows it
            self.save()

    def _update(self) -> None:
        self.save_button.description = f"Save {'all ' if len(self) > 1 else ''}{plural(len(self), 'secret')}"
        set_visible(self.widget, on=bool(self._secrets))


def _unused_path() -> str:
    """The first of `cstar-secrets.env`, `cstar-secrets-2.env` and so on that does not exist."""
    paths = chain(["cstar-secrets.env"], (f"cstar-secrets-{number}.env" for number in count(2)))
    return next(path for path in paths if not Path(path).exists())
