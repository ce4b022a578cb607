"""Whether suspects are looked at from elsewhere, as options, and the settings that they mean."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vmdiag.cli.options import EXCERPT_LENGTH, declare_option, declare_repeatable
from vmdiag.errors import UsageError

if TYPE_CHECKING:
    from vmdiag.arm.request import AzureSettings

# A check takes up to minutes, and each one more is a second answer to the same question.
MOST_ORIGINS = 5


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """The options of a proof."""

    HELP_HEADING = "From where"

    prove: Annotated[
        bool,
        declare_option(
            "--prove",
            text="Ask Network Watcher and the balancers about suspects: needs rights beyond Reader, changes nothing.",
        ),
    ] = False
    origins: Annotated[
        list[str] | None,
        declare_repeatable(
            "--from",
            metavar="VM",
            text="With --prove: look from this VM, which has the Network Watcher agent; repeatable. Default: one is "
            "looked for.",
        ),
    ] = None

    def validate_origins(self) -> None:
        """Raise `UsageError` where nobody can look from there."""
        from vmdiag.identity import VmId

        if len(self.origins or ()) > MOST_ORIGINS:
            message = f"--from is given {len(self.origins or ())} times, and each is a check of minutes"
            raise UsageError(message, f"Give it {MOST_ORIGINS} times at most.")
        for word in self.origins or ():
            if VmId.parse(word.strip()) is None and not (0 <= word.count("/") <= 1 and all(word.split("/"))):
                message = f"--from {word[:EXCERPT_LENGTH]!r} does not name a VM"
                raise UsageError(message, "Name it web-02, prod/web-02, or /subscriptions/.../virtualMachines/web-02.")

    def add_settings(self, access: "AzureSettings") -> "AzureSettings":
        """The settings with what these options mean."""
        from vmdiag.values import replace

        origins = tuple(word.strip() for word in self.origins or ()) if self.prove else ()
        return replace(access, proves=self.prove, proof_origins=origins)


NO_PROOFS = ProofOptions()
